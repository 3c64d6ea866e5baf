#include <gtest/gtest.h>

#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {

extern const Strategy strategy_bytescale;

namespace {

using flexcp::layer_problem;

Options options_of(const std::map<std::string, std::string>& set) {
  return {"bytescale", strategy_bytescale.options, set};
}

double fact(const Problem& problem, const std::map<std::string, std::string>& set,
            const std::string& name) {
  for (const ReportedValue& f : strategy_bytescale.report(problem, options_of(set))) {
    if (f.name == name) return f.value;
  }
  return -1;
}

std::string refusal(const Problem& problem, const std::map<std::string, std::string>& set) {
  try {
    strategy_bytescale.plan(problem, options_of(set));
  } catch (const Unsupported& reason) {
    return reason.what();
  }
  return "accepted";
}

TEST(BytescalePlan, CorrectWithAnyTokensPerRank) {
  flexcp::Random random(11);
  for (int i = 0; i < 300; ++i) {
    Problem problem;
    problem.batch = flashcp::random_batch(random, 12, 40);
    problem.cluster.gpus_per_node = static_cast<int32_t>(random.between(1, 9));
    const int64_t least = problem.tokens() / problem.ranks() + 1;
    const std::string per_rank = std::to_string(random.between(least, 3 * least));
    const Plan plan = strategy_bytescale.plan(problem, options_of({{"tokens_per_rank", per_rank}}));
    const CheckReport report = check(problem, plan);
    ASSERT_TRUE(report.ok()) << i << ": " << report.violations.front().text();
  }
}

// README: a sequence of s tokens makes ceil(s / E) - 1 hops, forward with its KV, backward with KV
// and dKV.
TEST(BytescalePlan, BytesInClosedForm) {
  const Problem problem = layer_problem(flashcp::wlb_like_pack(1 << 18, 3), 16);
  const Plan plan = strategy_bytescale.plan(problem, options_of({}));
  const int64_t bytes = test_plans::planned_bytes(plan, problem.shape);
  int64_t hops = 0;
  for (int64_t s : problem.batch.document_lengths) hops += s * ((s + 16383) / 16384 - 1);
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  EXPECT_GT(hops, 0);
  EXPECT_EQ(bytes, hops * (2 * kv + dkv));
}

// 8 + 3 + 1 ranks of 4 tokens each for 32, 12 and 4; 2 and 2 share one rank.
TEST(BytescalePlan, RanksInProportionToLength) {
  const Problem problem = layer_problem({.document_lengths = {2, 12, 4, 32, 2}}, 13);
  EXPECT_EQ(fact(problem, {{"tokens_per_rank", "4"}}, "groups"), 4);
  EXPECT_EQ(fact(problem, {{"tokens_per_rank", "4"}}, "groups_of_8"), 1);
  EXPECT_EQ(fact(problem, {{"tokens_per_rank", "4"}}, "groups_of_3"), 1);
  EXPECT_EQ(fact(problem, {{"tokens_per_rank", "4"}}, "groups_of_1"), 2);
  EXPECT_EQ(fact(problem, {{"tokens_per_rank", "4"}}, "group_changes"), 0);
}

TEST(BytescalePlan, RefusesWhatNoRanksHold) {
  const Problem problem = layer_problem({.document_lengths = {3, 100}}, 8);
  EXPECT_EQ(refusal(problem, {{"tokens_per_rank", "10"}}),
            "a sequence of 100 tokens needs 10 ranks of 10 tokens, there are 8; raise "
            "tokens_per_rank to 13");
  EXPECT_EQ(refusal(problem, {{"tokens_per_rank", "13"}}), "accepted");
}

}  // namespace
}  // namespace cpbench
