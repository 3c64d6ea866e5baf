#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

TEST(Ring, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 3, 8}) {
    Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
    Plan plan = plan_of("ring", problem);
    // K, V of T tokens cross N - 1 links in each pass; dK, dV in fp32 cross as many and go home.
    int64_t kv = 130 * 2 * (64 + 64) * 4;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), (ranks - 1) * kv);
    int64_t gradient_hops = ranks > 1 ? ranks - 1 : 0;
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), (ranks - 1 + gradient_hops) * kv);
    EXPECT_EQ(plan.forward.steps, ranks);
  }
}

TEST(Ring, GradientsTravelInFp32) {
  Problem problem = problem_of({64}, 4);
  problem.shape.dtype = Dtype::bfloat16;
  Plan plan = plan_of("ring", problem);
  int64_t kv = 64 * 8 * 128 * 2;
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), 3 * kv + 3 * 2 * kv);
}

TEST(Ring, RanksWithoutTokensTakeNoPart) {
  Problem problem = problem_of({2}, 8);
  Plan plan = plan_of("ring", problem);
  EXPECT_EQ(plan.forward.steps, 2);
  EXPECT_EQ(plan.forward.attends.size(), 4u);
}

TEST(Ring, OneSetPerRankHoweverManyDocuments) {
  Plan plan =
      plan_of("ring", problem_of(std::vector<int64_t>(10000, 3), 16), {{"per_document", "true"}});
  EXPECT_EQ(plan.token_sets.count(), 17);
  EXPECT_EQ(plan.forward.attends.size(), 256u);
}

}  // namespace
}  // namespace cpbench
