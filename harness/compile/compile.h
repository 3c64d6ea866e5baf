// Plan to Program: once per batch, everything an iteration needs, decided ahead.
#pragma once

#include "harness/compile/program.h"
#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

// `plan` must have passed `check` for the same problem and passes.
Program compile(const Problem& problem, const Plan& plan, Passes passes);

}  // namespace cpbench
