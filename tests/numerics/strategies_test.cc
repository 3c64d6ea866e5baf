// Every registered strategy computes what one device computes, in float64; spot checks of the other
// dtypes and of the plain kernel. The log says what a strategy does not support.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "harness/plan/names.h"
#include "harness/plan/test_problems.h"
#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

class Strategies : public testing::TestWithParam<const Strategy*> {
 protected:
  void expect_right(const std::vector<contract::NamedProblem>& problems,
                    const contract::Judge& judgement = numbers()) {
    const contract::Planner planner = contract::planner_of(*GetParam());
    const contract::Verdict verdict = contract::judge(problems, planner, judgement);
    EXPECT_EQ(verdict.text(), "");
    planned_ += verdict.planned;
    unsupported_.insert(verdict.unsupported.begin(), verdict.unsupported.end());
  }

  void TearDown() override {
    for (const std::string& reason : unsupported_) {
      std::cout << GetParam()->name << " skipped: " << reason << "\n";
    }
    if (planned_ == 0 && !HasFailure()) GTEST_SKIP() << *unsupported_.begin();
  }

 private:
  int planned_ = 0;
  std::set<std::string> unsupported_;
};

// 63 tokens on 2 nodes of 2 GPUs.
contract::NamedProblem small_problem() {
  const AttentionShape shape{
      .query_heads = 4, .kv_heads = 4, .head_dim = 8, .value_head_dim = 8, .dtype = Dtype::float64};
  return {"63 tokens", problem_of({7, 1, 13, 2, 29, 11}, {2, 2}, shape)};
}

TEST_P(Strategies, compute_what_one_device_computes) {
  expect_right(contract::adversarial_problems());
}

TEST_P(Strategies, cached_tokens_have_no_query) {
  expect_right(contract::cached_problems(), [](const Problem& problem, const Plan& plan) {
    return trouble_with(problem, plan) + trouble_with(problem, plan, kForwardOnce);
  });
}

TEST_P(Strategies, forests_and_rules) { expect_right(contract::forest_problems()); }

TEST_P(Strategies, what_was_reported) {
  std::vector<contract::NamedProblem> fused, plain;  // kernel fused needs values as wide as keys
  for (const contract::NamedProblem& named : contract::reported_problems()) {
    const AttentionShape& shape = named.problem.shape;
    if (named.problem.tokens() > 200) continue;
    (shape.value_head_dim == shape.head_dim ? fused : plain).push_back(named);
  }
  expect_right(fused);
  expect_right(plain, numbers({.kernel = "reference", .warmup = 0, .iterations = 1}));
}

TEST_P(Strategies, forward_only) { expect_right({small_problem()}, numbers(kForwardOnce)); }

TEST_P(Strategies, other_dtypes_are_within_their_tolerance) {
  for (const auto& [dtype, sinks] :
       {std::pair{Dtype::float32, true}, {Dtype::bfloat16, false}, {Dtype::bfloat16, true}}) {
    const AttentionShape shape{.query_heads = 4,
                               .kv_heads = 2,
                               .head_dim = 32,
                               .value_head_dim = 32,
                               .dtype = dtype,
                               .attention_sinks = sinks};
    expect_right({{name_of(dtype), problem_of({37, 150, 1, 68}, {2, 2}, shape)}});
  }
}

TEST_P(Strategies, the_plain_kernel_agrees) {
  expect_right({small_problem()}, numbers({.kernel = "reference", .warmup = 0, .iterations = 1}));
}

INSTANTIATE_TEST_SUITE_P(, Strategies, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench
