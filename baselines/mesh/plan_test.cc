#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

Plan with_rows(const Problem& problem, int32_t rows) {
  return plan_of("mesh", problem, {{"query_shards", std::to_string(rows)}});
}

// README: with tiles of a x b, Q, O, dO and dQ cross a - 1 times, and K, V and their gradients b -
// 1 times.
TEST(Mesh, BytesAreTheClosedForm) {
  for (const int32_t ranks : {1, 4, 6, 12}) {
    for (int32_t a = 1; a <= ranks; ++a) {
      if (ranks % a != 0) continue;
      const Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
      const Plan plan = with_rows(problem, a);
      ASSERT_EQ(violations(problem, plan), "") << ranks << " " << a;
      const int64_t q = 8 * 64 * 4, o = 8 * (64 * 4 + 4), d_o = 8 * (64 * 4 + 8);
      const int64_t kv = 2 * (64 + 64) * 4, b = ranks / a;
      EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape),
                130 * ((a - 1) * (q + o) + (b - 1) * kv));
      EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape),
                130 * ((a - 1) * (q + d_o + q) + (b - 1) * 2 * kv));
    }
  }
}

TEST(Mesh, TheDefaultMovesTheFewestBytes) {
  for (const int32_t kv_heads : {8, 4, 2, 1}) {
    const Problem problem = problem_of({256}, 16, {8, kv_heads});
    int64_t least = planned_bytes(with_rows(problem, 1), problem.shape);
    for (const int32_t a : {2, 4, 8, 16}) {
      least = std::min(least, planned_bytes(with_rows(problem, a), problem.shape));
    }
    EXPECT_EQ(planned_bytes(plan_of("mesh", problem), problem.shape), least) << kv_heads;
  }
}

// With as many KV heads as query heads a square is best; with one KV head only the keys travel.
TEST(Mesh, TilesAreSquareWithoutGroupedQueries) {
  EXPECT_EQ(plan_of("mesh", problem_of({256}, 16, {8, 8})),
            with_rows(problem_of({256}, 16, {8, 8}), 4));
  EXPECT_EQ(plan_of("mesh", problem_of({256}, 4, {8, 1})),
            with_rows(problem_of({256}, 4, {8, 1}), 1));
}

TEST(Mesh, OneQueryShardIsTheRingForward) {
  const Problem problem = problem_of({256}, 8, {8, 2});
  const Plan mesh = with_rows(problem, 1), ring = plan_of("zigzag", problem);
  EXPECT_EQ(mesh.home.size(), ring.home.size());
  EXPECT_EQ(mesh.forward.attends.size(), ring.forward.attends.size());
  EXPECT_EQ(planned_bytes(mesh.forward, mesh, problem.shape),
            planned_bytes(ring.forward, ring, problem.shape));
}

// The zigzag chunks make all blocks of two different shards equal, so tiles are balanced.
TEST(Mesh, TilesAreBalanced) {
  const Problem problem = problem_of({32 * 16}, 16, {8, 8});
  const Plan plan = plan_of("mesh", problem);
  const MaskIndex mask(problem.batch);
  std::map<int32_t, int64_t> pairs;
  for (const Attend& attend : plan.forward.attends) {
    pairs[attend.rank] += mask.pairs(plan.token_sets[attend.q], plan.token_sets[attend.kv]);
  }
  for (const auto& [rank, count] : pairs) EXPECT_EQ(count * 16, mask.pairs()) << rank;
}

TEST(Mesh, RefusesTilesThatDoNotDivide) {
  EXPECT_EQ(refusal("mesh", problem_of({64}, 6), {{"query_shards", "4"}}),
            "tiles of query_shards=4 do not divide 6 ranks");
}

}  // namespace
}  // namespace cpbench
