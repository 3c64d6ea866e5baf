#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

TEST(FlexcpPlan, CorrectWithAnyOptions) {
  Random random(9);
  for (int i = 0; i < 300; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const auto nodes = static_cast<int32_t>(random.between(1, 3));
    const auto gpus = static_cast<int32_t>(random.between(1, 4));
    const Problem problem = problem_of(batch, {nodes, gpus});
    Settings set;
    if (i % 2) {
      const int64_t least = problem.tokens() / problem.ranks() + 1;
      set["tokens_per_rank"] = std::to_string(random.between(least, 2 * least));
    }
    if (i % 3 == 0) set["degree"] = std::to_string(problem.ranks());
    ASSERT_EQ(violations(problem, plan_of("flexcp", problem, set)), "") << i;
  }
}

// README: the KV of every token makes d - 1 hops in its group, and again in the backward pass
// together with its gradient.
TEST(FlexcpPlan, BytesInClosedForm) {
  const Problem problem = layer_problem({.document_lengths = {49152, 8192, 8192}}, 8);
  const Plan plan = plan_of("flexcp", problem, {{"degree", "4"}});
  const int64_t bytes = planned_bytes(plan, problem.shape);
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  EXPECT_EQ(bytes, (4 - 1) * (49152 + 16384) * (2 * kv + dkv));
}

TEST(FlexcpPlan, PropertiesDescribeThePlan) {
  const Problem problem = layer_problem(burst_batch(64, 8192, 1), 64);
  const Problem small = layer_problem({.document_lengths = {6, 6, 6}}, 4);
  EXPECT_EQ(property("flexcp", problem, "micro_batches"), 1);
  const Settings best = {{"bins", "best"}, {"leftover", "slowest"}, {"max_degree", "64"}};
  for (const char* cost : {"published", "ring", "calibrated"}) {
    Settings set = best;
    set["cost"] = cost;
    EXPECT_LE(property("flexcp", problem, "planned_seconds", set),
              property("flexcp", problem, "best_static_seconds", set));
  }
  EXPECT_EQ(property("flexcp", small, "micro_batches", {{"tokens_per_rank", "4"}}), 2);
  EXPECT_EQ(property("flexcp", small, "groups_of_4", {{"degree", "4"}}), 1);
  EXPECT_EQ(property("flexcp", small, "group_changes", {{"degree", "4"}}), 0);
  EXPECT_FALSE(properties_of("flexcp", small, {{"degree", "4"}}).contains("best_static_degree"));
}

TEST(FlexcpPlan, NoRankIsIdleByDefault) {
  Random random(10);
  for (int i = 0; i < 100; ++i) {
    Batch batch = flashcp::pile_like_pack(1 << 17, i);
    const auto ranks = static_cast<int32_t>(random.between(1, 32));
    EXPECT_EQ(property("flexcp", layer_problem(batch, ranks), "idle_ranks"), 0) << i;
  }
}

// 256 equal, short sequences on 64 ranks: the published rule makes pairs of ranks, whose pieces are
// short; the calibrated cost keeps every sequence whole.
TEST(FlexcpPlan, ShortSequencesStayWholeWithTheCalibratedCost) {
  const Problem problem = layer_problem({.document_lengths = std::vector<int64_t>(256, 2048)}, 64);
  EXPECT_EQ(property("flexcp", problem, "groups_of_2"), 32);
  const Settings set = {{"bins", "best"}, {"leftover", "slowest"}, {"cost", "calibrated"}};
  EXPECT_EQ(property("flexcp", problem, "groups_of_1", set), 64);
}

// Two sequences on ranks 0-1 and 2-3 and one on ranks 0-3: the groups change between them.
TEST(FlexcpPlan, GroupChangesBetweenMicroBatches) {
  const Problem problem = layer_problem({.document_lengths = {14, 8, 8}}, 4);
  EXPECT_EQ(property("flexcp", problem, "micro_batches", {{"tokens_per_rank", "4"}}), 2);
  EXPECT_GE(property("flexcp", problem, "group_changes", {{"tokens_per_rank", "4"}}), 1);
}

}  // namespace
}  // namespace cpbench::flexcp
