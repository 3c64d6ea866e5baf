#include "tests/contract/judge.h"

#include "harness/plan/plan_text.h"
#include "harness/plan/test_problems.h"

namespace cpbench::contract {

Planner planner_of(const Strategy& strategy, const Options& options) {
  return [&strategy, options](const Problem& problem) { return strategy.plan(problem, options); };
}

Planner planner_of(const Strategy& strategy) {
  return planner_of(strategy, Options(strategy.name, strategy.options, {}));
}

Judge validity_of(const Planner& planner) {
  return [planner](const Problem& problem, const Plan& plan) {
    std::string trouble = violations(problem, plan);
    if (hash_of(planner(problem)) != hash_of(plan)) trouble += "another plan the second time\n";
    if (plan_from_text(plan_text(plan)) != plan) trouble += "another plan after a round trip\n";
    return trouble;
  };
}

std::string Verdict::text() const {
  std::string text;
  for (size_t i = 0; i < troubles.size(); ++i) {
    if (i == 3) return text + "... in all " + std::to_string(troubles.size()) + " problems\n";
    text += troubles[i].text;
  }
  return text;
}

Verdict judge(const std::vector<NamedProblem>& problems, const Planner& planner,
              const Judge& judgement) {
  Verdict verdict;
  for (const NamedProblem& named : problems) {
    Plan plan;
    try {
      plan = planner(named.problem);
    } catch (const Unsupported& reason) {
      verdict.unsupported.insert(reason.what());
      continue;
    }
    ++verdict.planned;
    const std::string trouble = judgement(named.problem, plan);
    if (!trouble.empty()) verdict.troubles.push_back({named.problem, named.name + ": " + trouble});
  }
  return verdict;
}

}  // namespace cpbench::contract
