#include <gtest/gtest.h>

#include <algorithm>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

TEST(Upipe, BytesAreTheClosedForm) {
  for (const int32_t ranks : {1, 2, 4, 8}) {
    for (const int32_t kv_heads : {8, 4, 2, 1}) {
      const Problem problem = problem_of({100, 29, 1}, ranks, {8, kv_heads});
      const Plan plan = plan_of("upipe", problem);
      const int64_t blocks = int64_t{ranks} * (ranks - 1) * ((130 + ranks - 1) / ranks);
      const int64_t q_heads = 8 / ranks, k_heads = std::max(1, kv_heads / ranks);
      const int64_t q = q_heads * 64 * 4, kv = k_heads * 128 * 4;
      const int64_t o = q_heads * (64 * 4 + 4), d_o = q_heads * (64 * 4 + 8);
      EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), blocks * (q + kv + o));
      EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape),
                blocks * (q + kv + d_o + q + kv));
    }
  }
}

TEST(Upipe, SendsAsMuchAsUlyssesForward) {
  const Problem problem = problem_of({100, 29, 1}, 4, {8, 2});
  const Plan upipe = plan_of("upipe", problem), ulysses = plan_of("ulysses", problem);
  EXPECT_EQ(planned_bytes(upipe.forward, upipe, problem.shape),
            planned_bytes(ulysses.forward, ulysses, problem.shape));
}

// The schedule of NeMo Automodel for 16 query heads, 4 KV heads and 2 ranks: g = 4, so the KV heads
// 0 and 1 serve stages 0 to 3, and the KV heads 2 and 3 stages 4 to 7.
TEST(Upipe, PairsQueryHeadsWithTheKvHeadOfTheStage) {
  const Plan plan = plan_of("upipe", problem_of({8}, 2, {16, 4}));
  std::vector<int32_t> first, second;
  for (const Attend& attend : plan.forward.attends) {
    EXPECT_EQ(attend.heads.size(), 1);
    (attend.rank == 0 ? first : second).push_back(attend.heads.begin);
  }
  EXPECT_EQ(first, (std::vector<int32_t>{0, 1, 2, 3, 8, 9, 10, 11}));
  EXPECT_EQ(second, (std::vector<int32_t>{4, 5, 6, 7, 12, 13, 14, 15}));
}

// README: buffers are those of the stages in flight, so more stages take less memory.
TEST(Upipe, NeedsLessMemoryThanUlysses) {
  const Problem problem = problem_of({256}, 2, {32, 32});
  const auto peak = [&](const char* strategy) {
    const auto bytes = check(problem, plan_of(strategy, problem), Passes::forward).peak_bytes;
    return *std::max_element(bytes.begin(), bytes.end());
  };
  EXPECT_LT(peak("upipe"), peak("ulysses"));
}

TEST(Upipe, RefusesHeadsThatDoNotDivide) {
  EXPECT_EQ(refusal("upipe", problem_of({64}, 6, {8, 8})),
            "8 query heads do not divide over 6 ranks");
  EXPECT_EQ(refusal("upipe", problem_of({64}, 4, {12, 6})),
            "6 KV heads do not divide 4 ranks, nor the ranks the KV heads");
}

}  // namespace
}  // namespace cpbench
