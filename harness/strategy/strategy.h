// A Strategy is a pure function from a Problem to a Plan, with the words that describe it.
//
// Each folder methods/<name>/ and baselines/<name>/ has a plan.cc that defines
//
//   extern const Strategy strategy_<name> = {...};
//
// The build finds these folders and writes the registry, so a new strategy is listed nowhere.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/errors.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/plan/reported_value.h"
#include "harness/strategy/options.h"

namespace cpbench {

struct Strategy {
  std::string name;         // as the folder; also the word of the command line and of TOML files
  std::string title;        // "FlashCP"
  std::string source;       // the paper or the upstream repository
  std::string moves;        // what travels, in one line
  std::string constraints;  // what a problem must satisfy, or "none"
  std::vector<OptionSpec> options;  // its own; all_options_of has all
  // What tuning tries: all combinations of these values and the defaults. Values that a problem
  // does not allow cost little, because the planner refuses them. At most 40 combinations.
  std::vector<OptionGrid> tuning = {};
  bool moves_keys = true;  // K and V travel in some of its plans
  // Must be deterministic. Throws Unsupported, with the numbers, if the strategy does not support
  // the problem.
  Plan (*plan)(const Problem& problem, const Options& options) = nullptr;
  // What the strategy reports about the plan that `plan` makes of the same arguments. Throws
  // Unsupported where `plan` does. Optional.
  std::vector<ReportedValue> (*report)(const Problem& problem, const Options& options) = nullptr;
};

// The options of the strategy, and those that the harness has for it. If it moves K and V: `kv`,
// what travels in their place, K and V themselves or latents, which AttentionShape::latent_size
// says to the planner.
std::vector<OptionSpec> all_options_of(const Strategy& strategy);

// All strategies, sorted by name.
const std::vector<const Strategy*>& strategies();
// Throws UserError, with the nearest name, for an unknown one.
const Strategy& find_strategy(const std::string& name);

}  // namespace cpbench
