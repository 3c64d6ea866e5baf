// What tuning tries: each strategy of a product with every combination of the values that its table
// declares (Strategy::tuning), and as it was given.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/run/suite.h"
#include "harness/spec/run_spec.h"

namespace cpbench {

struct Candidates {
  std::vector<std::string> values;  // for the field `strategy` of a product
  // Which of the strategies as given (strategy_text) a candidate (also strategy_text) stands for.
  std::map<std::string, std::set<std::string>> bases;
};

// Options that were given, behind the strategy or by --set, are not tuned. An external planner has
// nothing to tune.
Candidates candidates_of(const Product& product);

}  // namespace cpbench
