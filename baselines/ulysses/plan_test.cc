#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

TEST(Ulysses, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 4, 8}) {
    for (int32_t kv_heads : {8, 2}) {
      Problem problem = problem_of({100, 29, 1}, ranks, {8, kv_heads});
      Plan plan = plan_of("ulysses", problem);
      // Every ordered pair of ranks exchanges a block of ceil(T / N) tokens. KV heads are
      // replicated when they are fewer than the ranks.
      int64_t block = (130 + ranks - 1) / ranks;
      int64_t pairs = int64_t{ranks} * (ranks - 1);
      int64_t q_heads = 8 / ranks, k_heads = std::max(1, kv_heads / ranks);
      int64_t q = q_heads * 64 * 4, kv = k_heads * 128 * 4, o = q_heads * (64 * 4 + 4);
      EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), pairs * block * (q + kv + o));
      int64_t d_o = q_heads * (64 * 4 + 8);
      EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), pairs * block * (d_o + q + kv));
    }
  }
}

TEST(Ulysses, RefusesHeadsThatDoNotDivide) {
  EXPECT_EQ(refusal("ulysses", problem_of({64}, 6)), "8 query heads do not divide over 6 ranks");
}

}  // namespace
}  // namespace cpbench
