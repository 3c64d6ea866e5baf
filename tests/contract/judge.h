// One way to hold a planner against many problems, for all suites: validity, streams, numerics.
//
//   const Planner planner = planner_of(strategy);
//   const Verdict verdict = judge(adversarial_problems(), planner, validity_of(planner));
//   EXPECT_EQ(verdict.text(), "");
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "harness/strategy/strategy.h"
#include "tests/contract/problems.h"

namespace cpbench::contract {

using Planner = std::function<Plan(const Problem&)>;  // throws Unsupported as strategies do
using Judge = std::function<std::string(const Problem&, const Plan&)>;  // what is wrong, or ""

Planner planner_of(const Strategy& strategy, const Options& options);
Planner planner_of(const Strategy& strategy);  // every option at its default

// Expects that the plan obeys the checker's rules, that planning again gives an identical plan, and
// that the text form can be read back.
Judge validity_of(const Planner& planner);

struct Trouble {
  Problem problem;
  std::string text;  // name of the problem, and what is wrong
};

struct Verdict {
  int planned = 0;
  std::set<std::string> unsupported;  // reasons why problems were not planned
  std::vector<Trouble> troubles;
  std::string text() const;  // the first few troubles
};

// Problems that the planner does not support are skipped.
Verdict judge(const std::vector<NamedProblem>& problems, const Planner& planner,
              const Judge& judgement);

}  // namespace cpbench::contract
