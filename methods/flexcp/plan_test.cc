#include <gtest/gtest.h>

#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {

extern const Strategy strategy_flexcp;

namespace flexcp {
namespace {

Options options_of(const std::map<std::string, std::string>& set) {
  return {"flexcp", strategy_flexcp.options, set};
}

double fact(const Problem& problem, const std::map<std::string, std::string>& set,
            const std::string& name) {
  for (const ReportedValue& f : strategy_flexcp.report(problem, options_of(set))) {
    if (f.name == name) return f.value;
  }
  return -1;
}

TEST(FlexcpPlan, CorrectWithAnyOptions) {
  Random random(9);
  for (int i = 0; i < 300; ++i) {
    Problem problem;
    problem.batch = flashcp::random_batch(random, 12, 40);
    problem.cluster.nodes = static_cast<int32_t>(random.between(1, 3));
    problem.cluster.gpus_per_node = static_cast<int32_t>(random.between(1, 4));
    std::map<std::string, std::string> set;
    if (i % 2) {
      const int64_t least = problem.tokens() / problem.ranks() + 1;
      set["tokens_per_rank"] = std::to_string(random.between(least, 2 * least));
    }
    if (i % 3 == 0) set["degree"] = std::to_string(problem.ranks());
    const CheckReport report = check(problem, strategy_flexcp.plan(problem, options_of(set)));
    ASSERT_TRUE(report.ok()) << i << ": " << report.violations.front().text();
  }
}

// README: forward, every token's KV makes d - 1 hops in its group; backward again with its
// gradient.
TEST(FlexcpPlan, BytesInClosedForm) {
  const Problem problem = layer_problem({.document_lengths = {49152, 8192, 8192}}, 8);
  const Plan plan = strategy_flexcp.plan(problem, options_of({{"degree", "4"}}));
  const int64_t bytes = test_plans::planned_bytes(plan, problem.shape);
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  EXPECT_EQ(bytes, (4 - 1) * (49152 + 16384) * (2 * kv + dkv));
}

TEST(FlexcpPlan, FactsSpeakOfThePlan) {
  const Problem problem = layer_problem(burst_batch(64, 8192, 1), 64);
  const Problem small = layer_problem({.document_lengths = {6, 6, 6}}, 4);
  EXPECT_EQ(fact(problem, {}, "micro_batches"), 1);
  EXPECT_LE(fact(problem, {}, "planned_seconds"), fact(problem, {}, "best_static_seconds"));
  EXPECT_EQ(fact(small, {{"tokens_per_rank", "4"}}, "micro_batches"), 2);
  EXPECT_EQ(fact(small, {{"degree", "4"}}, "groups_of_4"), 1);
  EXPECT_EQ(fact(small, {{"degree", "4"}}, "group_changes"), 0);
  EXPECT_EQ(fact(small, {{"degree", "4"}}, "best_static_degree"), -1);
}

// Three sequences on ranks 0-1 and 2-3, then one on 0-3: a change of groups.
TEST(FlexcpPlan, GroupChangesBetweenMicroBatches) {
  const Problem problem = layer_problem({.document_lengths = {14, 8, 8}}, 4);
  EXPECT_EQ(fact(problem, {{"tokens_per_rank", "4"}}, "micro_batches"), 2);
  EXPECT_GE(fact(problem, {{"tokens_per_rank", "4"}}, "group_changes"), 1);
}

}  // namespace
}  // namespace flexcp
}  // namespace cpbench
