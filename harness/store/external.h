// `--strategy exec:PROGRAM`: a planner outside of cpbench, in any language. Options may follow, as
// in `exec:./planner.py:alpha=2,beta=3`; the program gets them as the arguments --alpha=2 --beta=3.
//
// The program reads the problem from its standard input and writes the plan to its standard output,
// both as JSON (plan_json.h), and exits with 0. It exits with 77 if it does not support the problem
// (status `unsupported`). If it fails, the message has the last line of its standard error.
// scripts/examples/external_planner.py is a complete example.
#pragma once

#include <map>
#include <string>

#include "harness/plan/deadline.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

// The file that is run: `program` if it is a path, and otherwise what `find_program` finds; the
// name itself if that is nothing.
std::string planner_file(const std::string& program);

// `program` is a path or a name; it is run without a shell. Throws Unsupported for the exit status
// 77, DidNotEnd after the deadline, and UserError for everything else: it is not found, has another
// exit status, is ended by a signal, is interrupted by Ctrl-C, writes no valid plan, or writes more
// than `most_plan_bytes`.
Plan external_plan(const std::string& program, const std::map<std::string, std::string>& options,
                   const Problem& problem, const Deadline& deadline = {});

// 64 MiB, and 1 KiB for each token and each pair of ranks, but at most 4 GiB: a ring of N ranks has
// 4 N^2 operations of about 100 bytes, and no strategy needs several operations per token.
size_t most_plan_bytes(const Problem& problem);

}  // namespace cpbench
