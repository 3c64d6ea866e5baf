// One problem of the soak: drawn at random, judged by the tests of all suites.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/strategy/strategy.h"

namespace cpbench::soak {

struct Case {
  const Strategy* strategy = nullptr;
  std::map<std::string, std::string> options;  // those that were set
  Problem problem;
  bool run = false;  // execute and simulate; otherwise plan and check
};

// A strategy, options and a problem. `run` is left to the caller.
Case draw(std::mt19937_64& random, const std::vector<const Strategy*>& strategies);

// What is wrong with the plan, its numbers, its bytes or its simulation; "" if nothing is. Nothing
// if the strategy does not support the problem.
std::optional<std::string> trouble_of(const Case& soak_case);

}  // namespace cpbench::soak
