// Tests of this suite: its problems and checks find a backward pass that is wrong only on several
// nodes, and accept its correct twin.
#include "tests/contract/two_level.h"

#include <gtest/gtest.h>

#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

TEST(TwoLevel, the_wrong_backward_pass_is_found) {
  const std::vector<contract::NamedProblem> problems = contract::adversarial_problems();
  const contract::Verdict right = contract::judge(problems, contract::two_level_plan, numbers());
  EXPECT_EQ(right.text(), "");

  const contract::Verdict wrong =
      contract::judge(problems, contract::wrong_two_level_plan, numbers());
  EXPECT_GT(wrong.troubles.size(), 0u);
  EXPECT_LT(std::ssize(wrong.troubles), wrong.planned);
  for (const contract::Trouble& trouble : wrong.troubles) {
    EXPECT_GT(trouble.problem.cluster.nodes, 1) << trouble.text;
  }
}

}  // namespace
}  // namespace cpbench
