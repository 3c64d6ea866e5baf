// Hand-made plans compute what one device computes, forward and backward, in float64.
#include "tests/numerics/hand_plans.h"

#include <gtest/gtest.h>

#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

class HandPlans : public testing::TestWithParam<HandPlan> {
 protected:
  // On one node: these plans do not read node boundaries.
  static void expect_right(std::vector<contract::NamedProblem> problems) {
    std::erase_if(problems, [](const auto& named) { return named.problem.cluster.nodes > 1; });
    EXPECT_EQ(contract::judge(problems, GetParam().plan, numbers()).text(), "");
  }
};

TEST_P(HandPlans, compute_what_one_device_computes) {
  expect_right(contract::adversarial_problems());
}
TEST_P(HandPlans, cached_tokens_have_no_query) { expect_right(contract::cached_problems()); }

INSTANTIATE_TEST_SUITE_P(, HandPlans, testing::ValuesIn(hand_plans()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cpbench
