// `--strategy exec:PROGRAM`: a planner outside of cpbench, in any language.
//
// The program reads the problem from its standard input and writes the plan to its standard output,
// both as JSON (plan_json.h), and exits with 0. It exits with 77 if it does not support the problem
// (status `unsupported`). If it fails, the message has the last line of its standard error.
// scripts/examples/external_planner.py is a complete example.
#pragma once

#include <string>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

inline constexpr double kExternalTimeoutSeconds = 300;  // planners with solvers need minutes

// `program` is a path or a name on PATH; it is run without a shell and without arguments. Throws
// Unsupported for the exit status 77, and UserError for everything else: it is not found, has
// another exit status, is ended by a signal, exceeds the time-out, is interrupted by Ctrl-C, or
// writes no valid plan.
Plan external_plan(const std::string& program, const Problem& problem,
                   double timeout_seconds = kExternalTimeoutSeconds);

}  // namespace cpbench
