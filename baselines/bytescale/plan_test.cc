#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {
namespace {

using flexcp::layer_problem;

TEST(BytescalePlan, CorrectWithAnyTokensPerRank) {
  flexcp::Random random(11);
  for (int i = 0; i < 300; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const Problem problem = problem_of(batch, random.between(1, 9));
    const int64_t least = problem.tokens() / problem.ranks() + 1;
    const std::string per_rank = std::to_string(random.between(least, 3 * least));
    const Plan plan = plan_of("bytescale", problem, {{"tokens_per_rank", per_rank}});
    ASSERT_EQ(violations(problem, plan), "") << i;
  }
}

// README: a sequence of s tokens makes ceil(s / E) - 1 hops, with its KV in the forward pass and
// with KV and dKV in the backward pass.
TEST(BytescalePlan, BytesInClosedForm) {
  const Problem problem = layer_problem(flashcp::wlb_like_pack(1 << 18, 3), 16);
  const Plan plan = plan_of("bytescale", problem);
  const int64_t bytes = planned_bytes(plan, problem.shape);
  int64_t hops = 0;
  for (int64_t s : problem.batch.document_lengths) hops += s * ((s + 16383) / 16384 - 1);
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  EXPECT_GT(hops, 0);
  EXPECT_EQ(bytes, hops * (2 * kv + dkv));
}

// With 4 tokens per rank, 32 tokens take 8 ranks and 12 take 3; 2 and 2 share one rank.
TEST(BytescalePlan, RanksInProportionToLength) {
  const Problem problem = layer_problem({.document_lengths = {2, 12, 4, 32, 2}}, 13);
  EXPECT_EQ(property("bytescale", problem, "groups", {{"tokens_per_rank", "4"}}), 4);
  EXPECT_EQ(property("bytescale", problem, "groups_of_8", {{"tokens_per_rank", "4"}}), 1);
  EXPECT_EQ(property("bytescale", problem, "groups_of_3", {{"tokens_per_rank", "4"}}), 1);
  EXPECT_EQ(property("bytescale", problem, "groups_of_1", {{"tokens_per_rank", "4"}}), 2);
  EXPECT_EQ(property("bytescale", problem, "group_changes", {{"tokens_per_rank", "4"}}), 0);
}

TEST(BytescalePlan, RefusesWhatNoRanksHold) {
  const Problem problem = layer_problem({.document_lengths = {3, 100}}, 8);
  EXPECT_EQ(refusal("bytescale", problem, {{"tokens_per_rank", "10"}}),
            "a sequence of 100 tokens needs 10 ranks of 10 tokens, there are 8; raise "
            "tokens_per_rank to 13");
  EXPECT_EQ(refusal("bytescale", problem, {{"tokens_per_rank", "13"}}), "");
}

}  // namespace
}  // namespace cpbench
