// Every strategy's plans are correct, deterministic, and survive the text form.
#include <gtest/gtest.h>

#include "harness/plan/check.h"
#include "harness/plan/plan_text.h"
#include "harness/strategy/strategy.h"
#include "tests/contract/problems.h"

namespace cpbench {
namespace {

class EveryStrategy : public testing::TestWithParam<const Strategy*> {
 protected:
  // Each option at its default, and each boolean and choice at its other values, one at a time.
  std::vector<Options> option_variants() const {
    const Strategy& s = *GetParam();
    std::vector<Options> variants = {Options(s.name, s.options, {})};
    for (const OptionSpec& spec : s.options) {
      std::vector<std::string> values = spec.choices;
      if (spec.kind == OptionKind::boolean) values = {"true", "false"};
      for (const std::string& value : values) {
        if (value != spec.default_value)
          variants.emplace_back(s.name, s.options,
                                std::map<std::string, std::string>{{spec.name, value}});
      }
    }
    return variants;
  }

  void expect_valid(const contract::NamedProblem& named, const Options& options) {
    SCOPED_TRACE(named.name + " " + options.changed());
    Plan plan;
    try {
      plan = GetParam()->plan(named.problem, options);
    } catch (const Unsupported& reason) {
      EXPECT_STRNE(reason.what(), "");
      ++unsupported_;
      return;
    }
    ++planned_;
    CheckReport report = check(named.problem, plan);
    for (const Violation& v : report.violations) ADD_FAILURE() << v.text();
    EXPECT_EQ(hash_of(plan), hash_of(GetParam()->plan(named.problem, options)));
    EXPECT_TRUE(plan_from_text(plan_text(plan)) == plan);
  }

  int planned_ = 0;
  int unsupported_ = 0;
};

TEST_P(EveryStrategy, PlansAdversarialBatches) {
  std::vector<contract::NamedProblem> problems = contract::adversarial_problems();
  for (const Options& options : option_variants()) {
    for (const contract::NamedProblem& named : problems) expect_valid(named, options);
  }
  EXPECT_GT(planned_, 0);
  RecordProperty("unsupported", unsupported_);
}

TEST_P(EveryStrategy, PlansRandomBatches) {
  for (const Options& options : option_variants()) {
    for (const contract::NamedProblem& named : contract::random_problems(150, 80, 7)) {
      expect_valid(named, options);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategy, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench
