// Where the time of simulated plans goes.
#include "harness/measure/attribution.h"

#include <gtest/gtest.h>

#include "harness/machines/kernel_models.h"
#include "tests/simulate/machines.h"

namespace cpbench {
namespace {

TimeParts parts_of(const Plan& plan, const Problem& problem, const ClusterModel& machine,
                   const Profile& profile = {}) {
  Result result;
  result.spec.shape = problem.shape;
  result.spec.ranks = plan.ranks;
  result.peak_flops_per_second = machine.cluster.peak_flops_per_second;
  PackResult& pack = result.packs.emplace_back();
  pack.batch = problem.batch;
  pack.plan = plan;
  pack.summary = summary_of(problem, plan, check(problem, plan, Passes::both), Passes::both);
  pack.timeline =
      simulate_plan(problem, plan, machine, find_kernel("cudnn_h200"), Passes::both, profile);
  return attribute_time(result).value();
}

class PartsOf : public ::testing::TestWithParam<const Strategy*> {};

TEST_P(PartsOf, are_not_negative_and_sum_to_the_whole) {
  const ClusterModel machine = small_machine(2, 4);
  const Problem problem = small_problem(machine, {1500, 175, 64, 1, 775, 625, 225, 731});
  Plan plan;
  try {
    plan = plan_of(GetParam()->name, problem);
  } catch (const Unsupported& reason) {
    GTEST_SKIP() << reason.what();
  }
  Profile slow_host;
  slow_host.launch_host_seconds = 5e-6;
  slow_host.exchange_seconds = 20e-6;
  for (const Profile& profile : {Profile(), slow_host}) {
    const TimeParts p = parts_of(plan, problem, machine, profile);
    double sum = 0;
    for (double part : {p.ideal, p.kernel_inefficiency, p.imbalance, p.exposed_communication,
                        p.padding, p.copies, p.layer, p.host, p.other}) {
      EXPECT_GE(part, 0);
      sum += part;
    }
    EXPECT_NEAR(sum, p.total, 1e-12);
    EXPECT_EQ(p.host > 0, profile.launch_host_seconds > 0);
    EXPECT_LE(p.exchange_only, p.total * (1 + 1e-9));
  }
}

INSTANTIATE_TEST_SUITE_P(Attribution, PartsOf, ::testing::ValuesIn(strategies()),
                         [](const auto& param) { return param.param->name; });

// Ranks wait for an overloaded neighbour, not for the network.
TEST(AttributionOf, a_ring_over_uneven_shards_is_imbalance_and_not_communication) {
  const ClusterModel machine = small_machine(1, 4);
  std::vector<int64_t> lengths = {131072};  // a shard of one document, and three of short ones
  lengths.resize(1 + 3 * 128, 1024);
  const Problem problem = small_problem(machine, lengths);
  const TimeParts parts = parts_of(plan_of("ring", problem), problem, machine);
  EXPECT_GT(parts.imbalance, 0.5 * parts.total);
  EXPECT_LT(parts.exposed_communication, 0.05 * parts.total);
}

TEST(AttributionOf, an_even_ring_over_a_slow_network_is_communication) {
  ClusterModel machine = small_machine(1, 4);
  machine.intra_node.bytes_per_second = 1e9;
  const Problem problem = small_problem(machine, {16384});
  const TimeParts parts = parts_of(plan_of("zigzag", problem), problem, machine);
  EXPECT_GT(parts.exposed_communication, 0.5 * parts.total);
  EXPECT_LT(parts.imbalance, 0.05 * parts.total);
  EXPECT_GT(parts.overlap().value(), 0);
}

}  // namespace
}  // namespace cpbench
