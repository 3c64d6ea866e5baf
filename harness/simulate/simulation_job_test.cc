#include "harness/simulate/simulation_job.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Every field has another value than its default.
SimulationJob sample_job() {
  SimulationJob job;
  job.machine.cluster.nodes = 2;
  job.machine.cluster.gpus_per_node = 1;
  job.machine.sms = 132;
  job.machine.intra_node = {0.1, 1e11 / 3};
  job.machine.inter_node = {5e-324, 46e9};
  job.machine.node_uplink_bytes_per_second = 7;
  job.machine.inter_node_all_to_all_efficiency = 0.5;
  job.machine.all_gather = {{2, 1e-5, 3e11}, {8, 5e-5, 4e11}};
  job.machine.reduce_scatter = {{4, 2e-5, 1e11}};
  job.profile.reserved_sms = 20;
  job.profile.collective_sms = 24;
  job.profile.substage_barrier = true;
  job.profile.exchange_seconds = 1e-5;
  job.profile.graph_seconds = 2e-5;
  job.portion = Portion::exchanges;
  Schedule& s = job.schedule;
  s.lookahead[0] = 3;
  s.lookahead[1] = 0;
  s.exchanges = {{0, 1, 2}, {1, 0, 5}};
  s.collectives = {{CollectiveKind::reduce_scatter, {0, 1}, int64_t{1} << 40}};
  s.transfers = {{0, 1, 12, 0, -1, 1, 1, -1}, {1, 0, 34, 1, 0, 2, 0, 0}};
  s.ranks.resize(2);
  s.ranks[0].tasks = {{1.0 / 3, 0.5, -1, 0, 0, Activity::merge}, {0, 0, 1, 4, 1, Activity::wait}};
  s.ranks[0].packs = {{0.25, 0.125, 1, 1, 4, 1}};
  s.ranks[0].steps = {{0, 0, 0}, {1, 4, 2}};
  return job;
}

std::string bytes_of(const SimulationJob& job) {
  return job_bytes(job.schedule, job.machine, job.profile, job.portion);
}

TEST(SimulationJob, comes_back_exactly) {
  const std::string bytes = bytes_of(sample_job());
  const SimulationJob job = parse_job(bytes);
  EXPECT_EQ(bytes_of(job), bytes);
  EXPECT_EQ(job.machine.intra_node.bytes_per_second, 1e11 / 3);
  EXPECT_EQ(job.machine.inter_node.latency_seconds, 5e-324);
  EXPECT_EQ(job.machine.inter_node_all_to_all_efficiency, 0.5);
  EXPECT_EQ(job.machine.all_gather[1].ranks, 8);
  EXPECT_EQ(job.profile.reserved_sms, 20);
  EXPECT_EQ(job.profile.collective_sms, 24);
  EXPECT_TRUE(job.profile.substage_barrier);
  EXPECT_EQ(job.profile.exchange_seconds, 1e-5);
  EXPECT_EQ(job.profile.graph_seconds, 2e-5);
  EXPECT_EQ(job.portion, Portion::exchanges);
  EXPECT_EQ(job.schedule.lookahead[0], 3);
  EXPECT_EQ(job.schedule.exchanges[1].substage, 5);
  EXPECT_EQ(job.schedule.collectives[0].members, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(job.schedule.collectives[0].block_bytes, int64_t{1} << 40);
  EXPECT_EQ(job.schedule.transfers[1].after_transfer, 0);
  EXPECT_EQ(job.schedule.ranks[0].tasks[0].seconds, 1.0 / 3);
  EXPECT_EQ(job.schedule.ranks[0].tasks[0].host_seconds, 0.5);
  EXPECT_EQ(job.schedule.ranks[0].packs[0].host_seconds, 0.125);
  EXPECT_EQ(job.schedule.ranks[0].tasks[1].activity, Activity::wait);
  EXPECT_EQ(job.schedule.ranks[0].packs[0].after_task, 1);
  EXPECT_EQ(job.schedule.ranks[0].steps[1].first_task, 2);
  EXPECT_TRUE(job.schedule.ranks[1].tasks.empty());
}

TEST(SimulationJob, an_execution_comes_back_exactly) {
  Execution execution;
  execution.end_seconds = {0.1, 2.5};
  execution.events = {{1, 1, 7, Activity::transfer, 1.0 / 3, 0.5}};
  const std::string bytes = execution_bytes(execution);
  const Execution read = parse_execution(bytes, 2);
  EXPECT_EQ(execution_bytes(read), bytes);
  EXPECT_EQ(read.end_seconds, execution.end_seconds);
  EXPECT_EQ(read.events[0].start_seconds, 1.0 / 3);
  EXPECT_EQ(read.events[0].activity, Activity::transfer);
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

// After one change to a good job.
std::string refusal(const std::function<void(SimulationJob&)>& change) {
  SimulationJob job = sample_job();
  change(job);
  return message_of([&] { parse_job(bytes_of(job)); });
}

TEST(SimulationJob, bad_indices_are_refused) {
  using Job = SimulationJob;
  EXPECT_EQ(refusal([](Job&) {}), "accepted");
  const auto refused_transfer = [](int32_t Transfer::*field, int32_t value) {
    return refusal([&](Job& job) { job.schedule.transfers[1].*field = value; });
  };
  EXPECT_EQ(refused_transfer(&Transfer::from, 2), "sender of transfer 1 is 2; must be from 0 to 1");
  EXPECT_EQ(refused_transfer(&Transfer::to, -1),
            "receiver of transfer 1 is -1; must be from 0 to 1");
  EXPECT_EQ(refused_transfer(&Transfer::exchange, 2),
            "exchange of transfer 1 is 2; must be from 0 to 1");
  EXPECT_EQ(refused_transfer(&Transfer::collective, 1),
            "collective of transfer 1 is 1; must be from -1 to 0");
  EXPECT_EQ(refused_transfer(&Transfer::after_transfer, -2),
            "transfer before transfer 1 is -2; must be from -1 to 1");
  const auto refused_task = [](const std::function<void(Task&)>& change) {
    return refusal([&](Job& job) { change(job.schedule.ranks[0].tasks[1]); });
  };
  EXPECT_EQ(refused_task([](Task& t) { t.arrival = 2; }),
            "arrival of task 1 is 2; must be from -1 to 1");
  EXPECT_EQ(refused_task([](Task& t) { t.pass = 2; }), "pass of task 1 is 2; must be from 0 to 1");
  EXPECT_EQ(refused_task([](Task& t) { t.activity = static_cast<Activity>(8); }),
            "activity of task 1 is 8; must be from 0 to 7");
  EXPECT_EQ(refusal([](Job& job) { job.schedule.ranks[0].packs[0].exchange = 2; }),
            "exchange of pack 0 is 2; must be from 0 to 1");
  EXPECT_EQ(refusal([](Job& job) { job.schedule.ranks[0].steps[1].first_task = 3; }),
            "first task of step 1 is 3; must be from 0 to 2");
  EXPECT_EQ(refusal([](Job& job) { job.schedule.exchanges[0].pass = -1; }),
            "pass of exchange 0 is -1; must be from 0 to 1");
  EXPECT_EQ(refusal([](Job& job) { job.schedule.collectives[0].members[1] = 2; }),
            "member of collective 0 is 2; must be from 0 to 1");
  EXPECT_EQ(refusal([](Job& job) { job.profile.reserved_sms = 132; }),  // no SM would be left
            "reserved SMs is 132; must be from 0 to 131");
  EXPECT_EQ(refusal([](Job& job) { job.portion = static_cast<Portion>(3); }),
            "portion of the program is 3; must be from 0 to 2");
  EXPECT_EQ(refusal([](Job& job) { job.profile.collective_sms = -1; }),
            "SMs of collectives is -1; must be from 0 to 131");
}

TEST(SimulationJob, bad_numbers_of_ranks_are_refused) {
  EXPECT_EQ(refusal([](SimulationJob& job) { job.machine.cluster.nodes = 3; }),
            "there are 2 ranks; must be 3");
  EXPECT_EQ(refusal([](SimulationJob& job) { job.machine.cluster.gpus_per_node = 0; }),
            "GPUs per node is 0; must be from 1 to 2");
  Execution execution;
  execution.end_seconds = {1, 2};
  execution.events = {{2, 0, 0, Activity::wait, 0, 1}};
  EXPECT_EQ(message_of([&] { parse_execution(execution_bytes(execution), 3); }),
            "there are 2 ranks; must be 3");
  EXPECT_EQ(message_of([&] { parse_execution(execution_bytes(execution), 2); }),
            "rank of event 0 is 2; must be from 0 to 1");
}

TEST(SimulationJob, bad_bytes_are_refused) {
  const std::string good = bytes_of(sample_job());
  for (const std::string& bytes :
       {std::string(), std::string("hello"), good.substr(0, good.size() - 1), good + "x",
        execution_bytes(Execution()), std::string(1000000, '\x81'), std::string(1000000, '\x7f')}) {
    const std::string message = message_of([&] { parse_job(bytes); });
    EXPECT_TRUE(message.starts_with("cannot read the message: ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace cpbench
