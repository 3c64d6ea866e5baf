#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "baselines/flexsp/program.h"
#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench::flexsp {
namespace {

using flexcp::layer_problem;

TEST(FlexspPlan, HeuristicIsCorrectWithAnyTokensPerRank) {
  flexcp::Random random(15);
  for (int i = 0; i < 300; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const Problem problem = problem_of(batch, random.between(1, 9));
    const int64_t least = 2 * problem.tokens() / problem.ranks() + 1;
    const Settings set = {{"solver", "heuristic"},
                          {"single_ranks", i % 2 ? "true" : "false"},
                          {"tokens_per_rank", std::to_string(random.between(least, 2 * least))}};
    ASSERT_EQ(violations(problem, plan_of("flexsp", problem, set)), "") << i;
  }
}

// README: in a group of p ranks, 1/p of the heads of each token's q, kv, o and do, dq, dkv travel p
// - 1 times; groups of one rank move nothing.
TEST(FlexspPlan, BytesInClosedForm) {
  const Problem problem = layer_problem({.document_lengths = {32768, 32768}}, 8);
  const Settings set = {{"solver", "heuristic"}, {"tokens_per_rank", "8192"}};
  ASSERT_EQ(property("flexsp", problem, "groups_of_4", set), 2);
  const Plan plan = plan_of("flexsp", problem, set);
  const int64_t bytes = planned_bytes(plan, problem.shape);
  const int64_t q = 32 * 128 * 2, kv = 8 * 256 * 2, lse = 32 * 4, n = 32768, p = 4;
  const int64_t group = (p - 1) * n / p * (q + kv + (q + lse) + (q + 2 * lse) + q + kv);
  EXPECT_EQ(bytes, 2 * group);
}

TEST(FlexspPlan, RefusalsNameTheNumbers) {
  Problem problem = layer_problem({.document_lengths = {3, 100}}, 8);
  EXPECT_EQ(refusal("flexsp", problem, {{"tokens_per_rank", "10"}}),
            "a sequence of 100 tokens exceeds the largest group of 8 of 8 ranks (32 query heads) "
            "with 10 tokens each; raise tokens_per_rank to 13");
  problem.shape.query_heads = problem.shape.kv_heads = 1;
  EXPECT_EQ(refusal("flexsp", problem, {}),
            "no group size: one query head is too few for 2 ranks; single_ranks=true would do");
}

// 6 heads on 4 ranks: the slowest ranks have 2 of them, so the group costs as one of 3 ranks.
TEST(FlexspPlan, UnevenHeads) {
  Problem problem = layer_problem({.document_lengths = {60, 60}}, 4);
  problem.shape.query_heads = problem.shape.kv_heads = 6;
  const Settings set = {{"solver", "heuristic"}, {"tokens_per_rank", "20"}};
  EXPECT_EQ(property("flexsp", problem, "groups_of_4", set), 2);
  EXPECT_EQ(violations(problem, plan_of("flexsp", problem, set)), "");
  const GroupCost cost(problem);
  GroupCost::Load load{.attention_seconds = 1};
  EXPECT_NEAR(cost.all_to_all_seconds(load, 4) - cost.all_to_all_seconds({}, 4), 3.5 / 3, 1e-12);
}

#ifdef CPBENCH_WITH_CBC

// Tries every way to put the sequences into groups of the allowed sizes.
double least_seconds(const Loads& loads, const Limits& limits, const GroupCost& cost) {
  double best = 1e300;
  SizedGroups groups;
  std::function<void(size_t, int32_t)> place = [&](size_t s, int32_t left) {
    if (s == loads.size()) {
      best = std::min(best, slowest_seconds(groups, cost));
      return;
    }
    for (size_t g = 0; g < groups.size(); ++g) {
      const SizedGroup before = groups[g];
      groups[g].load += loads[s];
      if (groups[g].load.tokens <= limits.capacity * groups[g].size) place(s + 1, left);
      groups[g] = before;
    }
    for (int32_t size : limits.sizes) {
      if (size > left || loads[s].tokens > limits.capacity * size) continue;
      groups.push_back({.size = size, .sequences = {}, .load = loads[s]});
      place(s + 1, left - size);
      groups.pop_back();
    }
  };
  place(0, limits.ranks);
  return best;
}

TEST(FlexspProgram, FindsTheOptimum) {
  flexcp::Random random(16);
  int better_than_start = 0;
  for (int i = 0; i < 60; ++i) {
    Batch batch;
    for (int64_t n = random.between(2, 6); n > 0; --n) {
      batch.document_lengths.push_back(random.between(1, 100) * 1000);
    }
    Problem problem = layer_problem(batch, 8);
    problem.cluster.intra_node_bytes_per_second = std::pow(10, random.between(9, 12));
    const Loads loads = flexcp::loads_of(problem);
    const GroupCost cost(problem);
    const Limits limits{8, batch.tokens(), {1, 2, 4, 8}};
    const Items items = longest_first(loads);
    const std::vector<Bucket> buckets = buckets_of(loads, items, 16);  // one per sequence: exact
    const auto start = group_by_heuristic(loads, items, limits, cost);
    ASSERT_TRUE(start.has_value());
    const ProgramResult result =
        group_by_program(loads, items, limits, buckets, *start, {.nodes = 100000}, cost);
    EXPECT_TRUE(result.proven);
    const double best = least_seconds(loads, limits, cost);
    EXPECT_NEAR(slowest_seconds(result.groups, cost) / best, 1, 1e-6) << i;
    better_than_start += slowest_seconds(*start, cost) > best * (1 + 1e-6);
  }
  EXPECT_GT(better_than_start, 0);
}

TEST(FlexspProgram, SameAnswerTwiceAndNeverWorseThanItsStart) {
  const Problem problem = layer_problem(flashcp::wlb_like_pack(1 << 18, 5), 16);
  const Settings exact = {{"buckets", "256"}, {"nodes", "20"}};
  EXPECT_LE(property("flexsp", problem, "planned_seconds", exact),
            property("flexsp", problem, "start_seconds", exact) * (1 + 1e-6));
  EXPECT_EQ(hash_of(plan_of("flexsp", problem)), hash_of(plan_of("flexsp", problem)));
}

#endif

}  // namespace
}  // namespace cpbench::flexsp
