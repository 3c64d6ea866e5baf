#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {
namespace {

using flexcp::layer_problem;

TEST(MegatronHybridPlan, CorrectWithAnyTokensPerRank) {
  flexcp::Random random(12);
  for (int i = 0; i < 300; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const Problem problem = problem_of(batch, random.between(1, 9));
    const int64_t least = 2 * (problem.tokens() / problem.ranks() + 1);
    const std::string per_rank = std::to_string(random.between(least, 3 * least));
    const Plan plan = plan_of("megatron_hybrid", problem, {{"tokens_per_rank", per_rank}});
    ASSERT_EQ(violations(problem, plan), "") << i;
  }
}

// README: a sequence of s tokens makes d - 1 hops, where d is the power of two of ranks that holds
// it, or the ranks onto which its group was widened.
TEST(MegatronHybridPlan, BytesInClosedForm) {
  const Problem problem = layer_problem(flashcp::wlb_like_pack(1 << 18, 3), 16);
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  int64_t hops = 0;
  for (int64_t s : problem.batch.document_lengths) {
    int64_t degree = 1;
    while (degree * 16384 < s) degree *= 2;
    hops += s * (degree - 1);
  }
  EXPECT_GT(hops, 0);
  const Plan plan = plan_of("megatron_hybrid", problem, {{"widen", "false"}});
  EXPECT_EQ(planned_bytes(plan, problem.shape), hops * (2 * kv + dkv));

  const Problem alone = layer_problem({.document_lengths = {65536}}, 4);
  const Settings set = {{"tokens_per_rank", "32768"}};
  EXPECT_EQ(property("megatron_hybrid", alone, "groups_of_4", set), 1);
  EXPECT_EQ(planned_bytes(plan_of("megatron_hybrid", alone, set), alone.shape),
            int64_t{65536} * 3 * (2 * kv + dkv));
}

// The documentation of the long-context example in NVIDIA-NeMo/Megatron-Bridge says that with 64
// tokens per rank its scheduler gives 128 tokens two ranks, and 64 or fewer one rank.
TEST(MegatronHybridPlan, DegreesOfThePublishedExample) {
  const Settings set = {{"tokens_per_rank", "64"}, {"widen", "false"}};
  for (auto [tokens, degree] : std::map<int64_t, int>{{128, 2}, {96, 2}, {64, 1}, {24, 1}}) {
    const Problem problem = layer_problem({.document_lengths = {tokens}}, 4);
    EXPECT_EQ(property("megatron_hybrid", problem, "groups_of_" + std::to_string(degree), set), 1)
        << tokens;
  }
}

// A group of four ranks, then two groups of two that need the same ranks.
TEST(MegatronHybridPlan, GroupsThatShareRanksFollowOneAnother) {
  const Problem problem = layer_problem({.document_lengths = {16, 8, 8}}, 4);
  const Settings set = {{"tokens_per_rank", "4"}};
  EXPECT_EQ(plan_of("megatron_hybrid", problem, set).forward.steps, 4 + 2);
  EXPECT_EQ(property("megatron_hybrid", problem, "group_changes", set), 2);
}

TEST(MegatronHybridPlan, RefusesWhatNoPowerOfTwoHolds) {
  const Problem problem = layer_problem({.document_lengths = {3, 100}}, 7);
  EXPECT_EQ(refusal("megatron_hybrid", problem, {{"tokens_per_rank", "20"}}),
            "a sequence of 100 tokens needs 8 ranks of 20 tokens, there are 7; raise "
            "tokens_per_rank to 25");
  EXPECT_EQ(refusal("megatron_hybrid", problem, {{"tokens_per_rank", "25"}}), "");
}

}  // namespace
}  // namespace cpbench
