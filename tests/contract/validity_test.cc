// Every strategy's plans are correct, deterministic, and survive the text form.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/plan/test_problems.h"
#include "tests/contract/judge.h"

namespace cpbench::contract {
namespace {

// 3 has no common divisor with the numbers of masks and clusters, so options meet all of both.
std::vector<NamedProblem> every_third(const std::vector<NamedProblem>& problems) {
  std::vector<NamedProblem> third;
  for (size_t i = 0; i < problems.size(); i += 3) third.push_back(problems[i]);
  return third;
}

class EveryStrategy : public testing::TestWithParam<const Strategy*> {
 protected:
  // The other values of each boolean and choice, one at a time.
  std::vector<Options> option_variants() const {
    const Strategy& s = *GetParam();
    const bool has_nodes =
        std::ranges::find(s.options, "nodes", &OptionSpec::name) != s.options.end();
    std::vector<Options> variants;
    for (const OptionSpec& spec : s.options) {
      std::vector<std::string> values = spec.choices;
      if (spec.kind == OptionKind::boolean) values = {"true", "false"};
      for (const std::string& value : values) {
        if (value == spec.default_value) continue;
        std::map<std::string, std::string> changed = {{spec.name, value}};
        if (has_nodes) changed["nodes"] = "100";  // solvers give up hard problems soon
        variants.emplace_back(s.name, s.options, changed);
      }
    }
    return variants;
  }

  static Verdict verdict_of(const std::vector<NamedProblem>& problems, const Planner& planner) {
    return judge(problems, planner, validity_of(planner));
  }
};

TEST_P(EveryStrategy, PlansAdversarialBatches) {
  std::vector<NamedProblem> problems = adversarial_problems();
  const std::vector<NamedProblem> of_options = every_third(problems);
  problems.push_back({"10,000 documents, 2 x 4 ranks",
                      problem_of(std::vector<int64_t>(10000, 3), {2, 4}, {4, 2})});

  const Verdict verdict = verdict_of(problems, planner_of(*GetParam()));
  EXPECT_EQ(verdict.text(), "");
  EXPECT_GT(verdict.planned, 0);
  for (const std::string& reason : verdict.unsupported) EXPECT_NE(reason, "");
  for (const Options& options : option_variants()) {
    EXPECT_EQ(verdict_of(of_options, planner_of(*GetParam(), options)).text(), "")
        << options.changed();
  }
}

TEST_P(EveryStrategy, PlansForests) {
  const Verdict verdict = verdict_of(forest_problems(), planner_of(*GetParam()));
  EXPECT_EQ(verdict.text(), "");
  EXPECT_GT(verdict.planned, 0);
  for (const Options& options : option_variants()) {
    EXPECT_EQ(verdict_of(forest_problems(), planner_of(*GetParam(), options)).text(), "")
        << options.changed();
  }
}

TEST_P(EveryStrategy, PlansWhatWasReported) {
  EXPECT_EQ(verdict_of(reported_problems(), planner_of(*GetParam())).text(), "");
}

// Where the layers have one mask, their number says nothing; where they have several, the plan is
// valid for each.
TEST_P(EveryStrategy, PlansForTheWorkOfSeveralMasks) {
  const Planner planner = planner_of(*GetParam());
  const LayerMask window{{Mask::sliding_window, 5}, 1};
  Problem problem =
      problem_of(batch_of({61, 7, 1, 30, 13}, Mask::sliding_window, 5), {2, 2}, {8, 4});
  const Problem one_mask = problem;
  problem.batch.layer_masks = {window};
  const Verdict same =
      judge({{"one mask", problem}}, planner, [&](const Problem&, const Plan& plan) {
        return hash_of(plan) == hash_of(planner(one_mask)) ? "" : "the plan differs";
      });
  EXPECT_EQ(same.text(), "");
  problem.batch.layer_masks = {{{}, 2}, window};
  const NamedProblem narrow{"of the second", problem};
  problem.batch.mask = Mask::document_causal;
  problem.batch.window = 0;
  EXPECT_EQ(verdict_of({narrow, {"of the first", problem}}, planner).text(), "");
}

TEST_P(EveryStrategy, PlansRandomBatches) {
  const std::vector<NamedProblem> problems = random_problems(130, 80, 7);
  EXPECT_EQ(verdict_of(problems, planner_of(*GetParam())).text(), "");
  for (const Options& options : option_variants()) {
    EXPECT_EQ(verdict_of(every_third(problems), planner_of(*GetParam(), options)).text(), "")
        << options.changed();
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategy, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench::contract
