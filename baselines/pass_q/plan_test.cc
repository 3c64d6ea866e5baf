#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

Problem cached_problem(std::vector<int64_t> lengths, std::vector<int64_t> cached, int32_t ranks) {
  Problem problem = problem_of(std::move(lengths), ranks, {8, 2});
  problem.batch.cached_tokens = std::move(cached);
  return problem;
}

TEST(PassQ, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 3, 8}) {
    Problem problem = cached_problem({100, 29, 100}, {80, 0, 100}, ranks);
    Plan plan = plan_of("pass_q", problem);
    // 49 new tokens of 8 heads: Q and O in fp32, and 4 bytes per head of log-sum-exp or row sum.
    int64_t q = 49 * 8 * 64 * 4, side = 49 * 8 * 4;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), (ranks - 1) * (2 * q + side));
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), (ranks - 1) * (3 * q + 2 * side));
    EXPECT_EQ(plan.forward.steps, ranks == 1 ? 1 : ranks + 1);
  }
}

TEST(PassQ, BytesDoNotGrowWithTheCache) {
  Problem little = cached_problem({100}, {50}, 4), much = cached_problem({1000}, {950}, 4);
  Plan a = plan_of("pass_q", little), b = plan_of("pass_q", much);
  EXPECT_EQ(planned_bytes(a.forward, a, little.shape), planned_bytes(b.forward, b, much.shape));
}

TEST(PassQ, OneNewTokenVisitsEveryRank) {
  Problem problem = cached_problem({65}, {64}, 4);
  Plan plan = plan_of("pass_q", problem);
  EXPECT_EQ(plan.forward.attends.size(), 4u);
  EXPECT_EQ(plan.forward.sends.size(), 3u + 3u);  // three hops, three partial outputs home
}

TEST(PassQ, KeysAndTheirGradientsNeverTravel) {
  Plan plan = plan_of("pass_q", cached_problem({40, 30}, {35, 10}, 4));
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    for (const Send& send : pass->sends) {
      EXPECT_TRUE(send.tensor != Tensor::kv && send.tensor != Tensor::dkv);
    }
  }
}

}  // namespace
}  // namespace cpbench
