#include <gtest/gtest.h>

#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {

extern const Strategy strategy_megatron_hybrid;

namespace {

using flexcp::layer_problem;

Options options_of(const std::map<std::string, std::string>& set) {
  return {"megatron_hybrid", strategy_megatron_hybrid.options, set};
}

double fact(const Problem& problem, const std::map<std::string, std::string>& set,
            const std::string& name) {
  for (const ReportedValue& f : strategy_megatron_hybrid.report(problem, options_of(set))) {
    if (f.name == name) return f.value;
  }
  return -1;
}

std::string refusal(const Problem& problem, const std::map<std::string, std::string>& set) {
  try {
    strategy_megatron_hybrid.plan(problem, options_of(set));
  } catch (const Unsupported& reason) {
    return reason.what();
  }
  return "accepted";
}

TEST(MegatronHybridPlan, CorrectWithAnyTokensPerRank) {
  flexcp::Random random(12);
  for (int i = 0; i < 300; ++i) {
    Problem problem;
    problem.batch = flashcp::random_batch(random, 12, 40);
    problem.cluster.gpus_per_node = static_cast<int32_t>(random.between(1, 9));
    const int64_t least = 2 * (problem.tokens() / problem.ranks() + 1);
    const std::string per_rank = std::to_string(random.between(least, 3 * least));
    const Plan plan =
        strategy_megatron_hybrid.plan(problem, options_of({{"tokens_per_rank", per_rank}}));
    const CheckReport report = check(problem, plan);
    ASSERT_TRUE(report.ok()) << i << ": " << report.violations.front().text();
  }
}

// README: a sequence of s tokens makes d - 1 hops, d the power of two that holds it.
TEST(MegatronHybridPlan, BytesInClosedForm) {
  const Problem problem = layer_problem(flashcp::wlb_like_pack(1 << 18, 3), 16);
  const Plan plan = strategy_megatron_hybrid.plan(problem, options_of({}));
  const int64_t bytes = test_plans::planned_bytes(plan, problem.shape);
  int64_t hops = 0;
  for (int64_t s : problem.batch.document_lengths) {
    int64_t degree = 1;
    while (degree * 16384 < s) degree *= 2;
    hops += s * (degree - 1);
  }
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  EXPECT_GT(hops, 0);
  EXPECT_EQ(bytes, hops * (2 * kv + dkv));
}

// NVIDIA-NeMo/Megatron-Bridge documents for its long-context example that at 64 tokens a rank its
// scheduler gives 128 tokens two ranks, and 64 and fewer one.
TEST(MegatronHybridPlan, DegreesOfThePublishedExample) {
  const std::map<std::string, std::string> set = {{"tokens_per_rank", "64"}};
  for (auto [tokens, degree] : std::map<int64_t, int>{{128, 2}, {96, 2}, {64, 1}, {24, 1}}) {
    const Problem problem = layer_problem({.document_lengths = {tokens}}, 4);
    EXPECT_EQ(fact(problem, set, "groups_of_" + std::to_string(degree)), 1) << tokens;
  }
}

TEST(MegatronHybridPlan, DegreesArePowersOfTwo) {
  const Problem problem = layer_problem({.document_lengths = {8192, 8193, 33000}}, 16);
  const std::map<std::string, std::string> set = {{"tokens_per_rank", "8192"}};
  EXPECT_EQ(fact(problem, set, "groups_of_1"), 1);
  EXPECT_EQ(fact(problem, set, "groups_of_2"), 1);
  EXPECT_EQ(fact(problem, set, "groups_of_8"), 1);
  EXPECT_EQ(fact(problem, set, "groups"), 3);
}

// Two of four ranks each, then one of four on the same ranks.
TEST(MegatronHybridPlan, GroupsThatShareRanksFollowOneAnother) {
  const Problem problem = layer_problem({.document_lengths = {16, 8, 8}}, 4);
  const std::map<std::string, std::string> set = {{"tokens_per_rank", "4"}};
  EXPECT_EQ(strategy_megatron_hybrid.plan(problem, options_of(set)).forward.steps, 4 + 2);
  EXPECT_EQ(fact(problem, set, "group_changes"), 2);
}

TEST(MegatronHybridPlan, RefusesWhatNoPowerOfTwoHolds) {
  const Problem problem = layer_problem({.document_lengths = {3, 100}}, 7);
  EXPECT_EQ(refusal(problem, {{"tokens_per_rank", "20"}}),
            "a sequence of 100 tokens needs 8 ranks of 20 tokens, there are 7; raise "
            "tokens_per_rank to 25");
  EXPECT_EQ(refusal(problem, {{"tokens_per_rank", "25"}}), "accepted");
}

}  // namespace
}  // namespace cpbench
