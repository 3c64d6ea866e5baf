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

// README: without padding, every rank sends each other rank its tokens for that rank's heads.
TEST(Ulysses, UnevenHeadsInClosedForm) {
  const Problem problem = problem_of({100, 29, 1}, 4, {7, 7});
  const Plan plan = plan_of("ulysses", problem);
  ASSERT_EQ(violations(problem, plan), "");
  const int64_t heads[] = {2, 2, 2, 1}, tokens[] = {33, 33, 32, 32};
  int64_t exchanged = 0;  // (token, head) that leave their rank
  for (int to = 0; to < 4; ++to) exchanged += (130 - tokens[to]) * heads[to];
  const int64_t q = 64 * 4, kv = 128 * 4, o = 64 * 4 + 4, d_o = 64 * 4 + 8;
  EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), exchanged * (q + kv + o));
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), exchanged * (d_o + q + kv));
}

// The rank with the most heads attends most: 16 of 28 heads on one of two ranks.
TEST(Ulysses, GroupsOfQueryHeadsStayWhole) {
  const Plan plan = plan_of("ulysses", problem_of({64}, 2, {28, 7}));
  ASSERT_EQ(plan.forward.attends.size(), 2u);
  EXPECT_EQ(plan.forward.attends[0].heads, (Heads{0, 16}));
  EXPECT_EQ(plan.forward.attends[1].heads, (Heads{16, 28}));
}

TEST(Ulysses, AnyHeadsOnAnyRanksAreCorrect) {
  for (const auto& [query, kv] : {std::pair{20, 20}, {12, 3}, {28, 7}, {40, 8}}) {
    for (int32_t ranks : {2, 3, 5, 8, query - 1, query}) {
      Problem problem = problem_of({23, 1, 40}, ranks, {query, kv});
      problem.batch.cached_tokens = {5, 0, 39};
      ASSERT_EQ(violations(problem, plan_of("ulysses", problem)), "") << query << " " << ranks;
    }
  }
}

TEST(Ulysses, RefusesMoreRanksThanQueryHeads) {
  EXPECT_EQ(refusal("ulysses", problem_of({64}, 9)), "8 query heads are too few for 9 ranks");
}

}  // namespace
}  // namespace cpbench
