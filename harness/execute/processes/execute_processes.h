// The executor whose ranks are processes. Each process runs one rank of the program.
//
//   group.together([&] { timeline = execute_processes(problem, program, options, group); });
#pragma once

#include "harness/execute/execute.h"
#include "harness/execute/kernel.h"
#include "harness/execute/processes/process_group.h"

namespace cpbench {

// Computes the same as execute_threads, bit for bit. To be called on every rank with equal
// arguments, inside ProcessGroup::together. Rank 0 returns the measurements of all ranks, the
// others only their own. A rank's clock starts when it leaves the barrier before the iteration. The
// timeout is the group's, not that of `options`.
Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, ProcessGroup& group);
Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, const Kernel& kernel,
                           ProcessGroup& group);

}  // namespace cpbench
