// Compares the simgrid network with closed forms, a slow max-min oracle, and the ports network.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "harness/machines/kernel_models.h"
#include "harness/plan/errors.h"
#include "harness/simulate/run_simgrid.h"
#include "harness/source_tree/source_tree.h"
#include "tests/simulate/machines.h"
#include "tests/simulate/max_min.h"
#include "tests/simulate/messages.h"

namespace cpbench {
namespace {

const std::string kFolder = build_tree();
const std::string kProgram = kFolder + "/cpbench-simgrid";

class Simgrid : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kProgram)) {
      GTEST_SKIP() << "cpbench-simgrid was not built: the package libsimgrid-dev is missing";
    }
    // simulate() finds the program on PATH.
    setenv("PATH", (kFolder + ":" + std::getenv("PATH")).c_str(), 1);
  }
};

std::vector<int32_t> by_time(const std::vector<double>& seconds) {
  std::vector<int32_t> order(seconds.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return seconds[a] < seconds[b]; });
  return order;
}

std::vector<int32_t> as_listed(size_t count) {
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

// The last arrival, which must be equal over both networks.
double last_arrival(const ClusterModel& machine, const std::vector<TimedMessage>& messages) {
  const Schedule schedule =
      schedule_of(messages, machine.cluster.ranks(), as_listed(messages.size()));
  const auto last = [](const Execution& e) {
    return *std::max_element(e.end_seconds.begin(), e.end_seconds.end());
  };
  const double simgrid = last(run_simgrid(schedule, machine, {}, kProgram));
  EXPECT_NEAR(last(run(schedule, machine, {})) / simgrid, 1, 1e-6);
  return simgrid;
}

std::vector<TimedMessage> all_to_all(int32_t ranks, int64_t bytes) {
  std::vector<TimedMessage> messages;
  for (int32_t from = 0; from < ranks; ++from) {
    for (int32_t to = 0; to < ranks; ++to) {
      if (from != to) messages.push_back({from, to, bytes, 0});
    }
  }
  return messages;
}

TEST_F(Simgrid, one_message_pays_latency_and_bandwidth) {
  const ClusterModel machine = small_machine(2, 2);
  EXPECT_NEAR(last_arrival(machine, {{0, 1, 1'000'000, 0}}) / (3e-6 + 1e6 / 370e9), 1, 1e-6);
  EXPECT_NEAR(last_arrival(machine, {{0, 2, 1'000'000, 0}}) / (8e-6 + 1e6 / 46e9), 1, 1e-6);
  EXPECT_NEAR(last_arrival(machine, {{3, 2, 1, 0.25}}) / (0.25 + 3e-6), 1, 1e-9);
  EXPECT_NEAR(last_arrival(machine, {{3, 2, 0, 0}}) / 3e-6, 1, 1e-5);  // as one byte
}

TEST_F(Simgrid, no_latency_is_none) {
  ClusterModel machine = small_machine(1, 4);
  machine.intra_node.latency_seconds = 0;
  EXPECT_NEAR(last_arrival(machine, all_to_all(4, 1'000'000)) / (3e6 / 370e9), 1, 1e-6);
}

TEST_F(Simgrid, incast_is_the_sum_over_the_receivers_port) {
  std::vector<TimedMessage> messages;
  for (int32_t from = 1; from < 8; ++from) messages.push_back({from, 0, 1'000'000, 0});
  EXPECT_NEAR(last_arrival(small_machine(1, 8), messages) / (3e-6 + 7e6 / 370e9), 1, 1e-6);
}

TEST_F(Simgrid, all_to_all_at_once_fills_every_port) {
  EXPECT_NEAR(last_arrival(small_machine(1, 16), all_to_all(16, 1'000'000)) / (3e-6 + 15e6 / 370e9),
              1, 1e-6);
  // One rank per node: no rank has a port on a fabric.
  EXPECT_NEAR(last_arrival(small_machine(5, 1), all_to_all(5, 1'000'000)) / (8e-6 + 4e6 / 46e9), 1,
              1e-6);
}

TEST_F(Simgrid, a_narrow_uplink_is_shared_by_the_node) {
  ClusterModel machine = small_machine(2, 4);
  machine.node_uplink_bytes_per_second = 80e9;
  std::vector<TimedMessage> messages;
  for (int32_t rank = 0; rank < 4; ++rank) messages.push_back({rank, 4 + rank, 1'000'000, 0});
  EXPECT_NEAR(last_arrival(machine, messages) / (8e-6 + 4e6 / 80e9), 1, 1e-6);
}

TEST_F(Simgrid, several_senders_from_other_nodes_contend_for_the_receiver) {
  ClusterModel machine = small_machine(3, 1);
  machine.inter_node_all_to_all_efficiency = 0.5;
  const TimedMessage one = {0, 2, 1'000'000, 0}, other = {1, 2, 1'000'000, 0};
  EXPECT_NEAR(last_arrival(machine, {one, other}) / (8e-6 + 2e6 / 23e9), 1, 1e-6);
  EXPECT_NEAR(last_arrival(machine, {one, one}) / (8e-6 + 2e6 / 46e9), 1, 1e-6);
}

TEST_F(Simgrid, what_one_message_cannot_use_another_gets) {
  // 0 -> 3 shares the port of rank 3 with two others, so it does not use its half of rank 0's port.
  // If ports are divided evenly, 0 -> 1 gets the other half; max-min gives it two thirds.
  const ClusterModel machine = small_machine(1, 4);
  const std::vector<TimedMessage> messages = {
      {0, 1, 2'000'000, 0}, {0, 3, 1'000'000, 0}, {1, 3, 1'000'000, 0}, {2, 3, 1'000'000, 0}};
  const Schedule schedule = schedule_of(messages, 4, {0, 1, 2, 3});
  EXPECT_NEAR(run_simgrid(schedule, machine, {}, kProgram).end_seconds[1] / (3e-6 + 3e6 / 370e9), 1,
              1e-6);
  EXPECT_NEAR(run(schedule, machine, {}).end_seconds[1] / (3e-6 + 3.5e6 / 370e9), 1, 1e-6);
}

// If their starts are given, no message is later than over `ports`: max-min gives it at least the
// rate that `ports` gives it, and more when fewer messages remain.
TEST_F(Simgrid, random_messages_arrive_as_max_min_says_and_never_later_than_over_ports) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    uint32_t state = seed * 2654435761u;
    const auto random = [&](uint32_t bound) {
      state = state * 1664525u + 1013904223u;
      return static_cast<int32_t>((state >> 8) % bound);
    };
    ClusterModel machine = small_machine(1 + random(3), 1 + random(4));
    if (random(2) == 1) machine.node_uplink_bytes_per_second = 60e9;
    if (random(2) == 1) machine.inter_node_all_to_all_efficiency = 0.6;
    const int32_t ranks = machine.cluster.ranks();
    if (ranks == 1) continue;
    std::vector<TimedMessage> messages;
    for (int i = 0; i < 60; ++i) {
      const int32_t from = random(ranks);
      const int32_t to = (from + 1 + random(ranks - 1)) % ranks;
      messages.push_back({from, to, 1 + random(3'000'000), 1e-6 * random(20)});
    }
    const std::vector<double> oracle = max_min_arrivals(messages, machine);
    const Schedule schedule = schedule_of(messages, ranks, by_time(oracle));
    const std::vector<double> simgrid =
        arrivals(run_simgrid(schedule, machine, {}, kProgram), messages.size(), -1);
    // Ranks wait in the same order, so a later arrival may hide an earlier one, but not the
    // reverse.
    const std::vector<double> ports = arrivals(run(schedule, machine, {}), messages.size(), 1e9);
    int seen = 0;
    for (size_t i = 0; i < messages.size(); ++i) {
      if (simgrid[i] < 0) continue;  // its receiver was busy when it arrived
      ++seen;
      EXPECT_NEAR(simgrid[i] / oracle[i], 1, 1e-6) << "seed " << seed << " message " << i;
      EXPECT_LE(simgrid[i], ports[i] * (1 + 1e-6)) << "seed " << seed << " message " << i;
    }
    EXPECT_GT(seen, 20);
  }
}

struct Both {
  double ports, simgrid;
};
Both makespans(const std::string& strategy, const ClusterModel& machine,
               const std::vector<int64_t>& lengths, const Profile& profile = {},
               const std::map<std::string, std::string>& set = {}) {
  const Problem problem = small_problem(machine, lengths);
  const Plan plan = plan_of(strategy, problem, set);
  const Program program = compile(problem, plan, Passes::both);
  const KernelModel& kernel = find_kernel("cudnn_h200");
  return {makespan(simulate(problem, plan, program, {machine, kernel, profile})),
          makespan(
              simulate(problem, plan, program, {machine, kernel, profile, NetworkModel::simgrid}))};
}

const std::vector<int64_t> kLengths = {9000, 1500, 175, 64, 1, 775, 625, 225, 731, 3288};  // 16,384

TEST_F(Simgrid, plans_whose_messages_share_nothing_take_the_same_time) {
  for (int32_t nodes : {1, 2}) {
    const ClusterModel machine = small_machine(nodes, 8);
    Profile reserved;
    reserved.reserved_sms = 20;
    Profile barrier;
    barrier.substage_barrier = true;
    for (const Profile& profile : {Profile{}, reserved, barrier}) {
      for (const char* strategy : {"ring", "zigzag", "allgather"}) {
        const Both seconds = makespans(strategy, machine, kLengths, profile);
        EXPECT_NEAR(seconds.simgrid / seconds.ports, 1, 1e-6) << strategy << nodes;
      }
    }
  }
}

// If messages share links, max-min is faster, or only a little slower: an earlier message can take
// bandwidth from one that others wait for.
TEST_F(Simgrid, plans_whose_messages_share_links_are_close) {
  Profile messages;
  messages.collectives_as_messages = true;
  const std::map<std::string, std::string> blocks = {{"block", "128"}};
  for (int32_t nodes : {1, 2}) {
    ClusterModel machine = small_machine(nodes, 8);
    machine.inter_node_all_to_all_efficiency = 0.5;
    for (const char* strategy : {"flashcp", "per_doc", "ulysses", "fcp"}) {
      const auto set = std::string(strategy) == "fcp" ? blocks : decltype(blocks){};
      const Both seconds = makespans(strategy, machine, kLengths, messages, set);
      std::printf("%-8s %2d ranks: simgrid / ports %.6f\n", strategy, 8 * nodes,
                  seconds.simgrid / seconds.ports);
      EXPECT_LE(seconds.simgrid / seconds.ports, 1.02) << strategy << nodes;
      EXPECT_GE(seconds.simgrid / seconds.ports, 0.8) << strategy << nodes;
    }
  }
}

TEST(SimgridMissing, is_one_line_that_names_the_package) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  try {
    simgrid_program();
    ADD_FAILURE() << "found in " << kFolder;
  } catch (const UserError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("libsimgrid-dev"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
  setenv("PATH", path.c_str(), 1);
}

TEST(SimgridMissing, a_program_that_cannot_be_started_or_fails_is_an_error) {
  const ClusterModel machine = small_machine(1, 2);
  const Schedule schedule = schedule_of({{0, 1, 1, 0}}, 2, {0});
  EXPECT_THROW(run_simgrid(schedule, machine, {}, "/nowhere/cpbench-simgrid"), UserError);
  EXPECT_THROW(run_simgrid(schedule, machine, {}, "/bin/false"), std::runtime_error);
  EXPECT_THROW(run_simgrid(schedule, machine, {}, "/bin/true"), UserError);  // no answer
}

TEST_F(Simgrid, says_why_it_fails) {
  const ClusterModel machine = small_machine(1, 2);
  Schedule schedule = schedule_of({{0, 1, 1, 0}}, 2, {0});
  schedule.transfers[0].after_task = 2;  // more tasks than there are
  try {
    run_simgrid(schedule, machine, {}, kProgram);
    ADD_FAILURE() << "ended";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("rank 0 waits for ever"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace cpbench
