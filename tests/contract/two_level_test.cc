// Tests of this suite: its problems and judges find a backward pass that is wrong only on several
// nodes, and accept its correct twin.
#include "tests/contract/two_level.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/contract/judge.h"

namespace cpbench::contract {
namespace {

void expect_found(const std::vector<NamedProblem>& problems) {
  const Verdict right = judge(problems, two_level_plan, validity_of(two_level_plan));
  EXPECT_EQ(right.text(), "");
  const auto on_several_nodes = std::ranges::count_if(problems, [](const NamedProblem& named) {
    return named.problem.cluster.nodes > 1 && named.problem.tokens() >= named.problem.ranks();
  });
  EXPECT_GT(on_several_nodes, 0);
  EXPECT_GT(right.planned, on_several_nodes);

  const Verdict wrong = judge(problems, wrong_two_level_plan, validity_of(wrong_two_level_plan));
  EXPECT_EQ(std::ssize(wrong.troubles), on_several_nodes);
  for (const Trouble& trouble : wrong.troubles) {
    EXPECT_GT(trouble.problem.cluster.nodes, 1);
    EXPECT_NE(trouble.text.find("P6 backward"), std::string::npos) << trouble.text;
  }
}

TEST(TwoLevel, adversarial_problems_find_the_wrong_backward_pass) {
  expect_found(adversarial_problems());
}
TEST(TwoLevel, random_problems_find_the_wrong_backward_pass) {
  expect_found(random_problems(60, 80, 7));
}

}  // namespace
}  // namespace cpbench::contract
