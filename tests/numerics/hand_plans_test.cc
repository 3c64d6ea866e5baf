// Hand-made plans x masks x heads x ranks x adversarial batches, forward and backward, in float64.
#include "tests/numerics/hand_plans.h"

#include <gtest/gtest.h>

#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

TEST(HandPlans, ring_of_three) {
  const Problem problem = make_problem({7, 1, 20, 13}, 3);
  for (const HandPlan& hand : hand_plans()) {
    EXPECT_EQ(trouble_with(problem, hand.plan(problem)), "") << hand.name;
  }
}

}  // namespace
}  // namespace cpbench
