// Runs a plan on threads and looks at everything that must hold.
#pragma once

#include <string>

#include "harness/execute/execute.h"
#include "harness/plan/plan.h"
#include "tests/contract/judge.h"

namespace cpbench {

// One iteration without warm-up is enough for numbers.
inline const ExecuteOptions kRunOnce{.warmup = 0, .iterations = 1};
inline const ExecuteOptions kForwardOnce{.passes = Passes::forward, .warmup = 0, .iterations = 1};

// Checks the plan, compiles it, verifies the program and runs it. Returns what is wrong: the plan,
// the program, the numbers, or bytes counted that differ from bytes planned; "" if all is right.
std::string trouble_with(const Problem& problem, const Plan& plan,
                         const ExecuteOptions& options = kRunOnce);

// The bytes between two ranks that the run or simulation counted and that were not planned; "" if
// all are equal.
std::string trouble_with_bytes(const Problem& problem, const Plan& plan, Passes passes,
                               const Timeline& timeline);

// `trouble_with` as a judge of many problems.
inline contract::Judge numbers(const ExecuteOptions& options = kRunOnce) {
  return [options](const Problem& problem, const Plan& plan) {
    return trouble_with(problem, plan, options);
  };
}

}  // namespace cpbench
