#include <gtest/gtest.h>

#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench {
namespace {

TEST(Striped, TokenTIsOnRankTModN) {
  Plan plan = plan_of("striped", problem_of({5, 6}, 3));
  for (int32_t rank = 0; rank < 3; ++rank) {
    for (int64_t t = 0; t < 11; ++t) {
      EXPECT_EQ(contains(plan.token_sets[plan.home[rank]], Range{t, t + 1}), t % 3 == rank);
    }
  }
}

TEST(Striped, EveryStripeIsCorrectOnAnyBatch) {
  flashcp::Random random(3);
  for (int i = 0; i < 100; ++i) {
    Problem problem = problem_of(flashcp::random_batch(random, 6, 30), random.between(1, 9));
    for (const char* stripe : {"1", "2", "5", "1000"}) {
      Plan plan = plan_of("striped", problem, {{"stripe", stripe}});
      ASSERT_EQ(violations(problem, plan), "") << "stripe " << stripe;
    }
  }
}

// The point of the paper: every rank has nearly the same work in every step of one causal document.
TEST(Striped, EveryStepIsLevelOnOneDocument) {
  Problem problem = problem_of({1024}, 8);
  MaskIndex mask(problem.batch);
  Plan plan = plan_of("striped", problem);
  for (const Attend& a : plan.forward.attends) {
    double pairs = static_cast<double>(mask.pairs(plan.token_sets[a.q], plan.token_sets[a.kv]));
    EXPECT_NEAR(pairs, 128.0 * 128 / 2, 64);
  }
}

// The closed form of the README, for any length.
TEST(Striped, BytesAreTheClosedForm) {
  Problem problem = problem_of({100, 31}, 5);
  problem.shape.dtype = Dtype::bfloat16;
  Plan plan = plan_of("striped", problem);
  int64_t elements = (5 - 1) * problem.tokens() * problem.shape.kv_heads *
                     (problem.shape.head_dim + problem.shape.value_head_dim);
  EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), elements * 2);
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), elements * (2 + 4));
}

TEST(Striped, TooManyRangesAreRefusedWithTheStripeThatFits) {
  const int64_t most = 1 << 25;
  EXPECT_EQ(refusal("striped", problem_of({2 * most + 1}, 2)),
            "67108865 tokens in stripes of 1 are 67108865 ranges; at most 33554432 are planned, "
            "stripe=3 would do");
  EXPECT_EQ(refusal("striped", problem_of({2 * most + 1}, 2), {{"stripe", "1024"}}), "");
  EXPECT_EQ(refusal("striped", problem_of({2 * most + 1}, 1)), "");
}

}  // namespace
}  // namespace cpbench
