#include "harness/simulate/expected_cost.h"

#include <gtest/gtest.h>

#include "harness/compile/compile.h"
#include "harness/plan/builder.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

// Each rank gathers the keys of all.
Plan gathering(const Problem& problem) {
  PlanBuilder b(problem);
  for (int32_t r = 0; r < 3; ++r) b.home(r, {{4 * r, 4 * r + 4}});
  PassBuilder forward = b.forward();
  const int32_t gather = forward.collective(CollectiveKind::all_gather, 4);
  for (int32_t r = 0; r < 3; ++r) {
    forward.multicast(0, r, b.all_ranks(), Tensor::kv, b.home_of(r), {}, gather);
    forward.attend(1, r, b.home_of(r), b.tokens({0, 12}));
  }
  b.backward_by_return();
  return b.finish();
}

TEST(ExpectedCost, counts_the_messages_that_programs_have) {
  const Problem problem = problem_of({12}, 3, {2, 1, 4, 4});
  const Plan plan = gathering(problem);
  ASSERT_EQ(violations(problem, plan), "");
  for (const Passes passes : {Passes::forward, Passes::both}) {
    int64_t sends = 0, calls = 0;
    for (const RankProgram& rank : compile(problem, plan, passes).ranks) {
      for (const Op& op : rank.ops) {
        sends += op.kind == OpKind::send;
        calls += op.kind == OpKind::call;
      }
    }
    const ExpectedCost cost = expected_cost(plan, passes);
    EXPECT_EQ(cost.messages, sends);
    EXPECT_EQ(cost.attends, calls);
    EXPECT_GE(cost.bytes, 240 * (sends + calls));
    EXPECT_GT(cost.seconds, 0);
  }
}

}  // namespace
}  // namespace cpbench
