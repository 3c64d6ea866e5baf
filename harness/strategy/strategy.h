// A Strategy is a pure function from a Problem to a Plan, with the words that describe it.
//
// Each folder methods/<name>/ and baselines/<name>/ has a plan.cc that defines
//   extern const Strategy strategy_<name> = {...};
// The build finds the folders and writes the registry; nothing else is to be edited.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/errors.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/strategy/options.h"

namespace cpbench {

// A number that a strategy reports of its plan beside what every plan has: {"groups", 5, ""}.
struct Fact {
  std::string name;
  double value = 0;
  std::string unit;  // "" for a count or a ratio
};

struct Strategy {
  std::string name;         // folder, CLI word, TOML value, golden file
  std::string title;        // "FlashCP"
  std::string source;       // paper or upstream
  std::string moves;        // what travels, in one line
  std::string constraints;  // when it is `unsupported`; "none"
  std::vector<OptionSpec> options;
  // Deterministic. Throws Unsupported with the numbers where the strategy cannot do the problem.
  Plan (*plan)(const Problem& problem, const Options& options) = nullptr;
  // Of the plan that `plan` makes of the same arguments, and Unsupported where that is. Optional.
  std::vector<Fact> (*facts)(const Problem& problem, const Options& options) = nullptr;
};

// All strategies, sorted by name.
const std::vector<const Strategy*>& strategies();
// Throws UserError with the nearest name.
const Strategy& find_strategy(const std::string& name);

}  // namespace cpbench
