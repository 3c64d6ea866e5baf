// What is special about deepspeed_static: its groups, the closed form of its bytes, its refusals.
#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

// README: in a group of d ranks with n tokens, (d - 1) / d of everything moves.
TEST(DeepspeedStatic, BytesAreTheClosedForm) {
  for (const int32_t degree : {1, 2, 4}) {
    const Problem problem = problem_of({64, 32, 32}, 4, {8, 4});
    const Plan plan = plan_of("deepspeed_static", problem, {{"degree", std::to_string(degree)}});
    const int64_t q = 8 * 64 * 4, kv = 4 * (64 + 64) * 4, o = 8 * (64 * 4 + 4);
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape),
              (degree - 1) * 128 / degree * (q + kv + o));
  }
}

TEST(DeepspeedStatic, SequencesGoToTheGroupWithTheLeastWork) {
  const Problem problem = problem_of({64, 32, 32}, 4, {8, 4});
  const Settings set = {{"degree", "2"}};
  EXPECT_EQ(property("deepspeed_static", problem, "groups_of_2", set), 2);
  const Plan plan = plan_of("deepspeed_static", problem, set);
  for (const SetId home : plan.home) EXPECT_EQ(plan.token_sets.size_of(home), 32);
}

// By default the degree is the largest within a node.
TEST(DeepspeedStatic, DegreeIsTheLargestWithinANode) {
  EXPECT_EQ(property("deepspeed_static", problem_of({64, 64}, {2, 4}, {8, 4}), "groups_of_4"), 2);
  EXPECT_EQ(property("deepspeed_static", problem_of({64, 64}, {2, 4}, {6, 6}), "groups_of_2"), 2);
  EXPECT_EQ(property("deepspeed_static", problem_of({64, 64}, 3, {8, 4}), "groups_of_1"), 2);
}

TEST(DeepspeedStatic, RefusesDegreesThatDoNotDivide) {
  const Problem problem = problem_of({64, 64}, 6, {8, 4});
  EXPECT_EQ(refusal("deepspeed_static", problem, {{"degree", "4"}}),
            "groups of degree=4 do not divide 6 ranks");
  const Problem few_heads = problem_of({64, 64}, 6, {4, 4});
  EXPECT_EQ(refusal("deepspeed_static", few_heads, {{"degree", "6"}}),
            "4 query heads are too few for 6 ranks");
}

TEST(DeepspeedStatic, UnevenHeads) {
  const Problem problem = problem_of({64, 64}, 6, {8, 4});
  const Plan plan = plan_of("deepspeed_static", problem, {{"degree", "3"}});
  EXPECT_EQ(violations(problem, plan), "");
  std::vector<int32_t> heads;
  for (const Attend& attend : plan.forward.attends) heads.push_back(attend.heads.size());
  EXPECT_EQ(heads, (std::vector<int32_t>{4, 2, 2, 4, 2, 2}));
}

}  // namespace
}  // namespace cpbench
