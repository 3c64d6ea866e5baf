#include <gtest/gtest.h>

#include <random>

#include "harness/plan/check.h"
#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

using test_plans::planned_bytes;
using test_plans::problem_of;

Plan plan_of(const Problem& problem, int64_t stripe = 1) {
  return test_plans::plan_of("striped", problem, {{"stripe", std::to_string(stripe)}});
}

TEST(Striped, TokenTIsOnRankTModN) {
  Plan plan = plan_of(problem_of({5, 6}, 3));
  for (int32_t rank = 0; rank < 3; ++rank) {
    for (int64_t t = 0; t < 11; ++t) {
      EXPECT_EQ(contains(plan.token_sets[plan.home[rank]], Range{t, t + 1}), t % 3 == rank);
    }
  }
}

TEST(Striped, EveryStripeIsCorrectOnAnyBatch) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    std::vector<int64_t> lengths;
    for (uint64_t n = 1 + random() % 6; n > 0; --n) {
      lengths.push_back(1 + static_cast<int64_t>(random() % 30));
    }
    Problem problem = problem_of(lengths, static_cast<int32_t>(1 + random() % 9));
    problem.batch.mask = static_cast<Mask>(random() % 4);
    problem.batch.window = problem.batch.mask == Mask::sliding_window ? 7 : 0;
    for (int64_t stripe : {1, 2, 5, 1000}) {
      CheckReport report = check(problem, plan_of(problem, stripe));
      ASSERT_TRUE(report.ok()) << "stripe " << stripe << ": " << report.violations.front().text();
    }
  }
}

// What the paper is about: of one causal document every rank has nearly the same work in every
// step.
TEST(Striped, EveryStepIsLevelOnOneDocument) {
  Problem problem = problem_of({1024}, 8);
  MaskIndex mask(problem.batch);
  Plan plan = plan_of(problem);
  for (const Attend& a : plan.forward.attends) {
    double pairs = static_cast<double>(mask.pairs(plan.token_sets[a.q], plan.token_sets[a.kv]));
    EXPECT_NEAR(pairs, 128.0 * 128 / 2, 64);
  }
}

// The README's closed form, at any length.
TEST(Striped, BytesAreTheClosedForm) {
  Problem problem = problem_of({100, 31}, 5);
  problem.shape.dtype = Dtype::bfloat16;
  Plan plan = plan_of(problem);
  int64_t elements = (5 - 1) * problem.tokens() * problem.shape.kv_heads *
                     (problem.shape.head_dim + problem.shape.value_head_dim);
  EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), elements * 2);
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), elements * (2 + 4));
}

TEST(Striped, TooManyRangesAreRefusedWithTheStripeThatFits) {
  const int64_t most = 1 << 24;
  try {
    plan_of(problem_of({2 * most + 1}, 2));
    FAIL();
  } catch (const Unsupported& reason) {
    EXPECT_STREQ(reason.what(),
                 "33554433 tokens in stripes of 1 are 33554433 ranges; at most 16777216 are "
                 "planned, stripe=3 would do");
  }
  EXPECT_NO_THROW(plan_of(problem_of({2 * most + 1}, 2), 1024));
  EXPECT_NO_THROW(plan_of(problem_of({2 * most + 1}, 1)));
}

}  // namespace
}  // namespace cpbench
