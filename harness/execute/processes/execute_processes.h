// The executor whose ranks are processes: this one runs one rank of the program.
//
//   group.together([&] { timeline = execute_processes(problem, program, options, group); });
#pragma once

#include "harness/execute/execute.h"
#include "harness/execute/kernel.h"
#include "harness/execute/processes/process_group.h"

namespace cpbench {

// As execute_threads, bit for bit. Called on every rank with equal arguments, inside a work of the
// group. What every rank measured is in rank 0's timeline; the others' hold their own part. Each
// rank's clock starts when it leaves the barrier before the iteration. `timeout_seconds` is the
// group's.
Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, ProcessGroup& group);
Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, const Kernel& kernel,
                           ProcessGroup& group);

}  // namespace cpbench
