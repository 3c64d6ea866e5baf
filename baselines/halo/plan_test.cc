#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

Problem window_problem(std::vector<int64_t> lengths, int32_t ranks, int64_t window) {
  return problem_of(batch_of(std::move(lengths), Mask::sliding_window, window), ranks, {8, 2});
}

// README: before each shard, as many keys as the window and the document have there.
TEST(Halo, BytesAreTheClosedForm) {
  const int64_t kv = 2 * (64 + 64) * 4;
  for (const int64_t window : {1, 2, 5, 16, 17, 40, 1000}) {
    for (const int32_t ranks : {1, 2, 4, 8}) {
      const Problem problem = window_problem({128}, ranks, window);
      const Plan plan = plan_of("halo", problem);
      int64_t tokens = 0;
      for (int64_t begin = 0; begin < 128; begin += 128 / ranks) {
        tokens += std::min(window - 1, begin);
      }
      EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), tokens * kv);
      EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), tokens * kv);
    }
  }
}

// Shards of 8 tokens begin at 8, 16 and 24. The first is 3 tokens into its document, the second 11,
// and the third is where a document begins.
TEST(Halo, DoesNotReachIntoAnotherDocument) {
  const Problem problem = window_problem({5, 19, 8}, 4, 8);
  const Plan plan = plan_of("halo", problem);
  EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), (3 + 7) * 2 * (64 + 64) * 4);
}

// A window of 20 over shards of 8 tokens reaches into three predecessors.
TEST(Halo, SendsComeFromAsManyPredecessorsAsTheWindowReaches) {
  const Plan plan = plan_of("halo", window_problem({64}, 8, 20));
  std::map<SetId, int> senders;
  for (const Send& send : plan.forward.sends) ++senders[send.to];
  const SetId last = plan.forward.sends.back().to;
  EXPECT_EQ(senders[last], 3);
  EXPECT_EQ(plan.forward.steps, 2);
}

TEST(Halo, RefusesMasksWithoutAWindow) {
  EXPECT_EQ(refusal("halo", problem_of({64}, 4)),
            "halo is for sliding windows; the mask document_causal has none");
  EXPECT_EQ(refusal("halo", window_problem({64}, 4, 64)), "");
}

}  // namespace
}  // namespace cpbench
