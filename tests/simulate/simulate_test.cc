#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "harness/machines/kernel_models.h"
#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "tests/simulate/machines.h"

namespace cpbench {
namespace {

const std::vector<int64_t> kLengths = {1500, 175, 64, 1, 775, 625, 225, 731};  // 4,096

// By rank: the time of everything except waiting.
std::vector<double> busy_seconds(const Timeline& timeline) {
  std::vector<double> busy(timeline.ranks);
  for (const Event& event : timeline.events) {
    if (event.activity == Activity::wait || event.activity == Activity::transfer) continue;
    busy[event.rank] += event.end_seconds - event.start_seconds;
  }
  return busy;
}

class EveryStrategy : public ::testing::TestWithParam<const Strategy*> {
 protected:
  void SetUp() override {
    try {
      plan_ = plan_of(GetParam()->name, problem_);
    } catch (const Unsupported& reason) {
      GTEST_SKIP() << reason.what();
    }
    program_ = compile(problem_, plan_, Passes::both);
    timeline_ = simulate_on(machine_);
  }

  Timeline simulate_on(const ClusterModel& machine) const {
    return simulate(problem_, plan_, program_, {machine, kernel_, profile_});
  }

  ClusterModel machine_ = small_machine(2, 4);
  KernelModel kernel_ = find_kernel("cudnn_h200");
  Profile profile_;
  Problem problem_ = small_problem(machine_, kLengths);
  Plan plan_;
  Program program_;
  Timeline timeline_;
};

TEST_P(EveryStrategy, simulated_bytes_are_the_plans) {
  const int64_t sent =
      std::accumulate(timeline_.bytes_sent.begin(), timeline_.bytes_sent.end(), int64_t{0});
  EXPECT_EQ(sent, planned_bytes(plan_, problem_.shape));
}

// The program without what an outline does not have: its segments are counted, by call. To a single
// query a causal mask is a full one.
RankProgram without_rows(RankProgram program) {
  std::vector<Segment> segments;
  for (Call& call : program.calls) {
    std::map<std::tuple<int32_t, int32_t, SegmentMask, int32_t, int32_t>, int32_t> counts;
    for (int32_t i = 0; i < call.segments; ++i) {
      const Segment& s = program.segments[call.first_segment + i];
      const SegmentMask mask =
          s.q_rows == 1 && s.mask == SegmentMask::causal ? SegmentMask::full : s.mask;
      counts[{s.q_rows, s.kv_rows, mask, s.first, s.last}] += s.count;
    }
    call.first_segment = static_cast<int32_t>(segments.size());
    call.segments = static_cast<int32_t>(counts.size());
    for (const auto& [segment, count] : counts) {
      const auto& [q_rows, kv_rows, mask, first, last] = segment;
      segments.push_back({.q_rows = q_rows,
                          .kv_rows = kv_rows,
                          .mask = mask,
                          .first = first,
                          .last = last,
                          .count = count});
    }
  }
  program.segments = std::move(segments);
  for (RowOp& op : program.row_ops) op.first_run = op.runs = 0;
  program.runs.clear();
  return program;
}

TEST_P(EveryStrategy, an_outline_is_the_program_without_rows_and_takes_the_same_time) {
  // Segments are listed for few documents, and counted for many.
  std::vector<int64_t> many_lengths = kLengths;
  for (int64_t length = 1; length <= 120; ++length) many_lengths.push_back(length % 60 + 1);
  for (const std::vector<int64_t>& lengths : {kLengths, many_lengths}) {
    const Problem problem = small_problem(machine_, lengths);
    const Plan plan = plan_of(GetParam()->name, problem);
    const Program program = compile(problem, plan, Passes::both);
    const SimulatedCluster on{machine_, kernel_, profile_};
    Simulator simulator(problem, plan, Passes::both, on);
    ASSERT_EQ(simulator.detail(), (Detail{.is_outline = true, .few_rows = 128}));
    const Compiler compiler(problem, plan, Passes::both, Detail::outline);
    const Compiler summing(problem, plan, Passes::both, simulator.detail());
    for (int32_t rank = 0; rank < plan.ranks; ++rank) {
      const RankProgram outline = compiler.rank(rank);
      EXPECT_TRUE(outline.runs.empty());
      EXPECT_EQ(without_rows(outline), without_rows(program.ranks[rank])) << rank;
      simulator.add(summing.rank(rank));
    }
    EXPECT_EQ(simulator.run().seconds, simulate(problem, plan, program, on).seconds);
  }
}

TEST_P(EveryStrategy, what_a_rank_does_fills_its_time) {
  std::vector<double> until(timeline_.ranks);
  for (const Event& event : timeline_.events) {
    if (event.activity == Activity::transfer) continue;
    EXPECT_DOUBLE_EQ(event.start_seconds, until[event.rank]);
    EXPECT_GT(event.end_seconds, event.start_seconds);
    until[event.rank] = event.end_seconds;
  }
  for (int32_t rank = 0; rank < timeline_.ranks; ++rank) {
    EXPECT_DOUBLE_EQ(until[rank], timeline_.seconds[rank]);
  }
}

TEST_P(EveryStrategy, has_the_same_times_twice) {
  const Timeline again = simulate_on(machine_);
  EXPECT_EQ(again.seconds, timeline_.seconds);
  EXPECT_EQ(again.events.size(), timeline_.events.size());
}

TEST_P(EveryStrategy, takes_at_least_the_time_of_its_work_and_the_network_adds_to_it) {
  ClusterModel free = machine_;
  make_network_free(free);
  const Timeline bound = simulate_on(free);
  const std::vector<double> work = busy_seconds(bound);
  const double longest = *std::max_element(work.begin(), work.end());
  EXPECT_GE(makespan(bound), longest * (1 - 1e-12));
  EXPECT_GE(makespan(timeline_), makespan(bound) * (1 - 1e-12));
}

INSTANTIATE_TEST_SUITE_P(Simulate, EveryStrategy, ::testing::ValuesIn(strategies()),
                         [](const ::testing::TestParamInfo<const Strategy*>& info) {
                           return info.param->name;
                         });

TEST(Simulate, over_a_free_network_all_gathers_forward_cost_their_slowest_ranks_work) {
  ClusterModel machine = small_machine(1, 8);
  make_network_free(machine);
  const Problem problem = small_problem(machine, kLengths);
  // Where nothing overlaps the all-gather, ranks also wait for those that pack more than they do.
  const std::vector<std::pair<const char*, Settings>> plans = {
      {"allgather", {}}, {"per_doc", {}}, {"flashcp", {{"overlap", "true"}}}};
  for (const auto& [name, options] : plans) {
    const Timeline timeline = simulate_plan(problem, plan_of(name, problem, options), machine,
                                            find_kernel("cudnn_h200"), Passes::forward);
    const std::vector<double> work = busy_seconds(timeline);
    EXPECT_NEAR(makespan(timeline), *std::max_element(work.begin(), work.end()), 1e-12) << name;
  }
}

TEST(Simulate, a_ring_without_work_is_its_hops) {
  for (int32_t ranks : {2, 5, 8}) {
    ClusterModel machine = small_machine(1, ranks);
    make_work_free(machine);
    const Problem problem = small_problem(machine, {int64_t{1024} * ranks});
    const Timeline timeline =
        simulate_plan(problem, plan_of("ring", problem), machine, free_kernel(), Passes::forward);
    const double shard = 1024.0 * 8 * 256 * 2;  // tokens, KV heads, K and V, bytes
    // The first ranks do not see the keys of the last hops, but pass them on.
    EXPECT_NEAR(makespan(timeline), (ranks - 1) * (3e-6 + shard / 370e9), 1e-12) << ranks;
  }
}

TEST(Simulate, library_collectives_cost_their_closed_form) {
  ClusterModel machine = small_machine(1, 8);
  make_work_free(machine);
  const Problem problem = small_problem(machine, {8192});
  const auto forward = [&](const char* name) {
    return makespan(
        simulate_plan(problem, plan_of(name, problem), machine, free_kernel(), Passes::forward));
  };
  const double shard = 1024.0 * 8 * 256 * 2;
  EXPECT_NEAR(forward("allgather"), 51e-6 + 7 * shard / 374e9, 1e-11);
  // Ulysses: Q and KV at the same time, which share the ports, then O back with its log-sum-exp.
  const double q = 1024.0 * 2 * 128 * 2, kv = 1024.0 * 1 * 256 * 2, o = 1024.0 * 2 * (128 * 2 + 4);
  const double latency = 3e-6;
  const double in = latency + 7 * (q + kv) / 370e9;
  EXPECT_NEAR(forward("ulysses"), in + latency + 7 * o / 370e9, 1e-9);
}

TEST(Simulate, a_librarys_reduce_scatter_leaves_one_sum_to_add) {
  ClusterModel machine = small_machine(1, 8);
  make_network_free(machine);
  const Problem problem = small_problem(machine, {8192});
  const auto both = [&](bool as_messages) {
    Profile profile;
    profile.collectives_as_messages = as_messages;
    return makespan(simulate_plan(problem, plan_of("allgather", problem), machine, free_kernel(),
                                  Passes::both, profile));
  };
  // 1,024 rows of 8 heads of dK and dV are read in bf16 and added in fp32.
  const double sum = 2e-6 + 1024.0 * 8 * 256 * (2 + 2 * 4) / 2.5e12;
  EXPECT_NEAR(both(true) - both(false), 6 * sum, 1e-12);
}

TEST(Simulate, layouts_around_a_librarys_collectives_are_of_all_tokens) {
  ClusterModel machine = small_machine(1, 8);
  make_network_free(machine);
  const Problem problem = small_problem(machine, kLengths);
  for (const char* name : {"allgather", "per_doc"}) {
    const Plan plan = plan_of(name, problem);
    const auto seconds = [&](double passes, Passes both) {
      Profile profile;
      profile.layout_passes = passes;
      return makespan(simulate_plan(problem, plan, machine, free_kernel(), both, profile));
    };
    const double once = 2 * 4096.0 * 8 * 256 * 2 / 2.5e12;  // K, V of all tokens, read and written
    for (Passes passes : {Passes::forward, Passes::both}) {
      const int collectives = passes == Passes::both ? 2 : 1;
      EXPECT_NEAR(seconds(3, passes) - seconds(0, passes), 3 * collectives * once, 1e-12) << name;
    }
  }
  Profile laid_out;
  laid_out.layout_passes = 3;
  const Plan ring = plan_of("ring", problem);  // no collective
  EXPECT_EQ(makespan(simulate_plan(problem, ring, machine, free_kernel(), Passes::both, laid_out)),
            makespan(simulate_plan(problem, ring, machine, free_kernel())));
}

TEST(Simulate, results_of_a_library_are_added_in_fp32) {
  const ClusterModel machine = small_machine(1, 1);
  const Problem problem = small_problem(machine, {8192});
  const Plan plan = plan_of("ring", problem);
  Profile in_place;
  in_place.library_results = false;
  const auto added = [&](Passes passes) {
    return makespan(simulate_plan(problem, plan, machine, free_kernel(), passes)) -
           makespan(simulate_plan(problem, plan, machine, free_kernel(), passes, in_place));
  };
  EXPECT_EQ(added(Passes::forward), 0);  // O is written where it is needed
  // dQ, and dK and dV, are read in bf16 and added in fp32.
  EXPECT_NEAR(added(Passes::both), 2e-6 + 8192.0 * (16 * 128 + 8 * 256) * 10 / 2.5e12, 1e-12);
}

TEST(Simulate, a_partial_result_of_a_library_is_copied_to_fp32) {
  ClusterModel machine = small_machine(1, 2);
  make_network_free(machine);
  machine.kernel_launch_seconds = 0;
  const Problem problem = small_problem(machine, {4096});
  Profile in_place;
  in_place.library_results = false;
  const auto seconds = [&](const Profile& profile) {
    return simulate_plan(problem, plan_of("ring", problem), machine, free_kernel(), Passes::forward,
                         profile)
        .seconds;
  };
  const std::vector<double> with = seconds({}), without = seconds(in_place);
  EXPECT_EQ(with[0], without[0]);  // the first rank attends once
  EXPECT_GE(with[1] - without[1], 2048.0 * 16 * 128 * 6 / 2.5e12 * (1 - 1e-9));
}

TEST(Simulate, copies_around_a_call_are_of_its_queries_and_keys) {
  const ClusterModel machine = small_machine(1, 1);
  const Problem problem = small_problem(machine, {8192});
  const Plan plan = plan_of("ring", problem);
  Profile copies;
  copies.forward_query_copies = 3;
  copies.forward_key_copies = 0.5;
  copies.backward_query_copies = 1;
  const auto added = [&](Passes passes) {
    return makespan(simulate_plan(problem, plan, machine, free_kernel(), passes, copies)) -
           makespan(simulate_plan(problem, plan, machine, free_kernel(), passes));
  };
  const double row = 2 * 2 * 128 / 2.5e12;  // of a head, read and written
  const double forward = 2e-6 + 8192 * (3 * 16 + 0.5 * 8 * 2) * row;
  EXPECT_NEAR(added(Passes::forward), forward, 1e-12);
  EXPECT_NEAR(added(Passes::both), forward + 2e-6 + 8192 * 16 * row, 1e-12);
}

TEST(Simulate, layouts_of_the_backward_pass_may_differ) {
  ClusterModel machine = small_machine(1, 8);
  make_network_free(machine);
  const Problem problem = small_problem(machine, {8192});
  const Plan plan = plan_of("allgather", problem);
  const auto seconds = [&](double forward, double backward) {
    Profile profile;
    profile.layout_passes = forward;
    profile.backward_layout_passes = backward;
    return makespan(simulate_plan(problem, plan, machine, free_kernel(), Passes::both, profile));
  };
  const double once = 2 * 8192.0 * 8 * 256 * 2 / 2.5e12;
  EXPECT_NEAR(seconds(1, 3) - seconds(0, 0), 4 * once, 1e-12);
  EXPECT_NEAR(seconds(1, -1) - seconds(0, 0), 2 * once, 1e-12);
}

TEST(Simulate, kept_operands_are_not_gathered_again) {
  ClusterModel machine = small_machine(1, 8);
  make_network_free(machine);
  const Problem problem = small_problem(machine, {8192});
  Profile kept;
  kept.operands_kept = true;
  const auto saved = [&](const char* name, Passes passes) {
    const Plan plan = plan_of(name, problem);
    return makespan(simulate_plan(problem, plan, machine, free_kernel(), passes)) -
           makespan(simulate_plan(problem, plan, machine, free_kernel(), passes, kept));
  };
  EXPECT_EQ(saved("per_doc", Passes::forward), 0);
  EXPECT_EQ(saved("ring", Passes::both), 0);
  // The rank of the last chunk gathers all K and V, from eight buffers.
  EXPECT_NEAR(saved("per_doc", Passes::both), 8 * 2e-6 + 2 * 8192.0 * 8 * 256 * 2 / 2.5e12, 1e-12);
}

TEST(Simulate, merges_by_segments_launch_once_for_each) {
  ClusterModel machine = small_machine(1, 4);
  make_network_free(machine);
  const auto added = [&](const std::vector<int64_t>& lengths) {
    const Problem problem = small_problem(machine, lengths);
    const Plan plan = plan_of("ring", problem, {{"per_document", "true"}});
    const auto seconds = [&](bool by_segments) {
      Profile profile;
      profile.copies_by_slices = true;
      profile.slice_seconds = 1;
      profile.merges_by_segments = by_segments;
      return makespan(
          simulate_plan(problem, plan, machine, free_kernel(), Passes::forward, profile));
    };
    return seconds(true) - seconds(false);
  };
  EXPECT_EQ(added({4096}), 0);
  // The last rank merges three partial outputs of eight documents each, instead of three runs.
  EXPECT_NEAR(added(std::vector<int64_t>(8, 512)), 3 * 7, 1e-3);
}

TEST(Simulate, more_bandwidth_never_slows_what_shares_no_link) {
  ClusterModel machine = small_machine(1, 8);
  const Problem problem = small_problem(machine, kLengths);
  for (const char* name : {"ring", "zigzag", "striped"}) {
    const Plan plan = plan_of(name, problem);
    const Program program = compile(problem, plan, Passes::both);
    const KernelModel& kernel = find_kernel("cudnn_h200");
    double before = std::numeric_limits<double>::infinity();
    for (double bandwidth = 1e9; bandwidth < 2e12; bandwidth *= 1.3) {
      machine.intra_node.bytes_per_second = bandwidth;
      const double seconds =
          makespan(simulate(problem, plan, program, {machine, kernel, Profile{}}));
      EXPECT_LE(seconds, before * (1 + 1e-12)) << name << " at " << bandwidth;
      before = seconds;
    }
  }
}

TEST(Simulate, a_conflict_free_schedule_pays_latencies_and_beats_contention) {
  ClusterModel machine = small_machine(1, 16);
  make_work_free(machine);
  const Problem problem = small_problem(machine, {40000, 9000, 9000, 3000, 2000, 1000, 1536});
  const auto forward = [&](const Plan& plan) {
    return makespan(simulate_plan(problem, plan, machine, free_kernel(), Passes::forward));
  };
  const std::map<std::string, std::string> small = {{"block", "512"}, {"coalesce", "1"}};
  auto with_arm = [&](const char* arm) {
    auto set = small;
    set["arm"] = arm;
    return plan_of("fcp", problem, set);
  };
  const Plan conflict_free = with_arm("conflict_free");
  // The same sends, with those of a step all at once and links ideally shared.
  Plan at_once = conflict_free;
  for (Send& send : at_once.forward.sends) send.substage = 0;
  std::vector<std::pair<int32_t, int32_t>> substages;
  for (const Send& send : conflict_free.forward.sends) {
    substages.emplace_back(send.step, send.substage);
  }
  substages.erase(std::unique(substages.begin(), substages.end()), substages.end());
  EXPECT_LE(forward(conflict_free),
            forward(at_once) + static_cast<double>(substages.size()) * 3e-6 + 1e-12);
  EXPECT_LT(forward(conflict_free), forward(with_arm("pipelined")));
}

TEST(Simulate, fewer_processors_while_bytes_travel_slow_kernels_down) {
  const ClusterModel machine = small_machine(1, 8);
  const Problem problem = small_problem(machine, {16384});
  const Plan plan = plan_of("ring", problem);
  const KernelModel& kernel = find_kernel("cudnn_h200");
  Profile profile;
  const double all = makespan(simulate_plan(problem, plan, machine, kernel, Passes::both, profile));
  profile.reserved_sms = 20;
  const double fewer =
      makespan(simulate_plan(problem, plan, machine, kernel, Passes::both, profile));
  EXPECT_GT(fewer, all);
  EXPECT_LT(fewer, all * 132 / 112 * (1 + 1e-12));
}

TEST(Simulate, processors_of_a_collective_slow_only_kernels_beside_collectives) {
  const ClusterModel machine = small_machine(1, 8);
  const Problem problem = small_problem(machine, {16384});
  const KernelModel& kernel = find_kernel("cudnn_h200");
  const auto with = [&](const Plan& plan, int32_t reserved, int32_t collective) {
    Profile profile;
    profile.reserved_sms = reserved;
    profile.collective_sms = collective;
    return makespan(simulate_plan(problem, plan, machine, kernel, Passes::both, profile));
  };
  const Plan ring = plan_of("ring", problem);
  EXPECT_DOUBLE_EQ(with(ring, 0, 20), with(ring, 0, 0));
  const Plan gathers = plan_of("allgather", problem, {{"head_groups", "4"}});
  EXPECT_DOUBLE_EQ(with(gathers, 0, 20), with(gathers, 20, 0));
  EXPECT_GT(with(gathers, 0, 20), with(gathers, 0, 0));
}

TEST(Simulate, a_margin_of_processors_is_missing_in_every_kernel) {
  const ClusterModel machine = small_machine(1, 1);
  const Problem problem = small_problem(machine, {16384});
  const Plan plan = plan_of("ring", problem);
  KernelModel kernel = find_kernel("cudnn_h200");
  kernel.forward.call_us = 0;
  const auto seconds = [&](int32_t margin) {
    Profile profile;
    profile.sm_margin = margin;
    profile.library_results = false;
    return makespan(simulate_plan(problem, plan, machine, kernel, Passes::forward, profile)) -
           machine.kernel_launch_seconds;
  };
  EXPECT_NEAR(seconds(66) / seconds(0), 2, 1e-9);
}

TEST(Simulate, more_buffers_let_communication_run_further_ahead) {
  const ClusterModel machine = small_machine(8, 1);
  const Problem problem = small_problem(machine, {9000, 1500, 3000, 175, 2000});
  const Plan plan = plan_of("fcp", problem, {{"block", "256"}, {"coalesce", "1"}});
  const auto seconds = [&](int32_t buffers) {
    Profile profile;
    profile.buffers = buffers;
    return makespan(
        simulate_plan(problem, plan, machine, find_kernel("cudnn_h200"), Passes::forward, profile));
  };
  EXPECT_DOUBLE_EQ(seconds(plan.forward.lookahead + 1), seconds(0));
  EXPECT_LT(seconds(3), seconds(2));
  EXPECT_GT(seconds(1), seconds(2));
}

// Rank 0 of node 0 sends to the four ranks of node 1.
TEST(Simulate, a_multicast_per_node_crosses_once) {
  ClusterModel machine = small_machine(2, 4);
  make_work_free(machine);
  const Problem problem = small_problem(machine, {4096});
  PlanBuilder builder(problem);
  for (int32_t rank = 0; rank < 8; ++rank)
    builder.home(rank, Ranges{{512 * rank, 512 * (rank + 1)}});
  builder.forward().multicast(0, 0, builder.ranks(Ranges{{4, 8}}), Tensor::kv, builder.home_of(0));
  const Plan plan = builder.finish();
  const double bytes = 512 * 8 * 256 * 2;
  const auto seconds = [&](bool per_node) {
    Profile profile;
    profile.multicast_per_node = per_node;
    return makespan(simulate_plan(problem, plan, machine, free_kernel(), Passes::forward, profile));
  };
  EXPECT_NEAR(seconds(false), 8e-6 + 4 * bytes / 46e9, 1e-9);
  EXPECT_NEAR(seconds(true), 8e-6 + bytes / 46e9 + 3e-6 + 3 * bytes / 370e9, 1e-9);
}

TEST(Simulate, the_layer_costs_every_rank_its_tokens) {
  const ClusterModel machine = small_machine(1, 4);
  Problem problem = small_problem(machine, {4096});
  const Plan plan = plan_of("allgather", problem);
  const KernelModel& kernel = find_kernel("cudnn_h200");
  const double without = makespan(simulate_plan(problem, plan, machine, kernel));
  problem.shape.hidden_size = 2048;
  problem.shape.ffn_size = 8192;
  const double with = makespan(simulate_plan(problem, plan, machine, kernel));
  // 1024 tokens, at half of the peak: forward once, backward twice.
  EXPECT_NEAR(with - without, 3 * 1024 * layer_flops_per_token(problem.shape) / 0.5e15, 1e-9);
}

TEST(Simulate, ranks_without_work_take_no_time) {
  const ClusterModel machine = small_machine(1, 8);
  const Problem problem = small_problem(machine, {3});  // fewer tokens than ranks
  const Timeline timeline =
      simulate_plan(problem, plan_of("ring", problem), machine, find_kernel("cudnn_h200"));
  EXPECT_GT(makespan(timeline), 0);
  EXPECT_EQ(std::count(timeline.seconds.begin(), timeline.seconds.end(), 0.0), 5);
}

}  // namespace
}  // namespace cpbench
