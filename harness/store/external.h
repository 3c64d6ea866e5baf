// `--strategy exec:PROGRAM`: a planner outside of cpbench, in any language.
//
// The program gets the problem on its standard input and writes the plan to its standard output,
// both as JSON (plan_json.h); then it exits with 0. With 77 it says that it cannot do this problem
// (status `unsupported`). What it writes to its standard error is shown, by its last line, when it
// fails. scripts/examples/external_planner.py is a whole one.
#pragma once

#include <string>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

inline constexpr double kExternalTimeoutSeconds = 300;  // planners with solvers need minutes

// `program`: a path, or a name found on PATH; run without a shell and without arguments. Throws
// Unsupported (exit status 77) and UserError for everything else: not found, another exit status,
// a signal, the time out, an interrupt by Ctrl-C, or no plan on its output.
Plan external_plan(const std::string& program, const Problem& problem,
                   double timeout_seconds = kExternalTimeoutSeconds);

}  // namespace cpbench
