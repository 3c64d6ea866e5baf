#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

TEST(Allgather, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 3, 8}) {
    for (const char* groups : {"1", "2"}) {
      Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
      Plan plan = plan_of("allgather", problem, {{"head_groups", groups}});
      // Each rank receives N - 1 blocks, each padded to the longest shard.
      int64_t longest = 0;
      for (SetId home : plan.home) longest = std::max(longest, plan.token_sets.size_of(home));
      int64_t bytes = int64_t{ranks} * (ranks - 1) * longest * 2 * (64 + 64) * 4;
      EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), bytes);
      EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), bytes);
    }
  }
}

TEST(Allgather, GatheringAgainTradesMemoryForBytes) {
  Problem problem = problem_of({64}, 4);
  Plan kept = plan_of("allgather", problem);
  Plan again = plan_of("allgather", problem, {{"received_kv", "fetched_again"}});
  EXPECT_EQ(planned_bytes(again.backward, again, problem.shape),
            2 * planned_bytes(kept.backward, kept, problem.shape));
  EXPECT_TRUE(again.keep.empty());
  EXPECT_EQ(kept.keep.size(), 12u);
}

TEST(Allgather, ContiguousShardsAreOnePartPerRank) {
  Plan plan = plan_of("allgather", problem_of({7, 3}, 2), {{"shards", "contiguous"}});
  EXPECT_EQ(plan.token_sets[plan.home[0]].front(), (Range{0, 5}));
  EXPECT_EQ(plan.token_sets[plan.home[1]].front(), (Range{5, 10}));
}

TEST(Allgather, RefusesGroupsThatDoNotDivide) {
  EXPECT_EQ(refusal("allgather", problem_of({64}, 4, {8, 4}), {{"head_groups", "3"}}),
            "4 KV heads do not divide into 3 head_groups");
}

}  // namespace
}  // namespace cpbench
