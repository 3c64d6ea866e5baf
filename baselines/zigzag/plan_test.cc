#include <gtest/gtest.h>

#include <algorithm>

#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

TEST(Zigzag, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 3, 8}) {
    Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
    Plan plan = plan_of("zigzag", problem);
    int64_t kv = 130 * 2 * (64 + 64) * 4;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), (ranks - 1) * kv);
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), 2 * (ranks - 1) * kv);
  }
}

TEST(Zigzag, BalancesDivisibleDocumentsExactly) {
  Problem problem = problem_of({160, 32, 96}, 4);
  Plan plan = plan_of("zigzag", problem);
  MaskIndex mask(problem.batch);
  for (SetId home : plan.home) {
    EXPECT_EQ(mask.pairs(plan.token_sets[home]) * 4, mask.pairs());
  }
}

// Only new tokens have queries, so the new tokens of each document must be balanced in work.
TEST(Zigzag, BalancesTheNewTokensOfCachedDocuments) {
  Problem problem = problem_of({160, 96}, 4);
  problem.batch.cached_tokens = {128, 64};
  Plan plan = plan_of("zigzag", problem);
  MaskIndex mask(problem.batch);
  for (SetId home : plan.home) {
    EXPECT_EQ(mask.pairs(plan.token_sets[home]) * 4, mask.pairs());
  }
}

}  // namespace
}  // namespace cpbench
