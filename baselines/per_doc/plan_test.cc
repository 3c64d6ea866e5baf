#include <gtest/gtest.h>

#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

TEST(PerDoc, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 3, 8}) {
    Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
    Plan plan = plan_of("per_doc", problem);
    int64_t longest = 0;
    for (SetId home : plan.home) longest = std::max(longest, plan.token_sets.size_of(home));
    int64_t bytes = int64_t{ranks} * (ranks - 1) * longest * 2 * (64 + 64) * 4;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), bytes);
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), bytes);
  }
}

// WLB-LLM's rule: each document has 2N chunks, and the remainder goes one token at a time to the
// ranks in turn. The turn continues from document to document, so ranks stay within two tokens of
// each other.
TEST(PerDoc, RemaindersKeepTokensLevel) {
  Problem problem = problem_of({7, 13, 5, 29, 3, 11, 17}, 4);
  Plan plan = plan_of("per_doc", problem);
  int64_t least = problem.tokens(), most = 0;
  for (SetId home : plan.home) {
    least = std::min(least, plan.token_sets.size_of(home));
    most = std::max(most, plan.token_sets.size_of(home));
  }
  EXPECT_LE(most - least, 2);
}

// Only new tokens have queries, so the new tokens of each document must be balanced in work.
TEST(PerDoc, BalancesTheNewTokensOfCachedDocuments) {
  Problem problem = problem_of({160, 96}, 4);
  problem.batch.cached_tokens = {128, 64};
  Plan plan = plan_of("per_doc", problem);
  MaskIndex mask(problem.batch);
  for (SetId home : plan.home) {
    EXPECT_EQ(mask.pairs(plan.token_sets[home]) * 4, mask.pairs());
  }
}

}  // namespace
}  // namespace cpbench
