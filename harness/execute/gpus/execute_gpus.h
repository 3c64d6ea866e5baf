// The executor on GPUs. This process runs some or all ranks of the program, with a GPU each over
// NCCL, or several on one GPU.
//
//   timeline = execute_gpus(problem, plan, program, options, GpuTransport::nccl, mine, &group);
#pragma once

#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu.h"

namespace cpbench {

// Like execute_threads, but with the arithmetic of the GPU. Verifies one iteration
// and then runs at least one to warm up.
// `mine` are the ranks of this process. With a group it is to be called on every process, inside
// ProcessGroup::together; process 0 then returns the measurements of all ranks.
Timeline execute_gpus(const Problem& problem, const Plan& plan, const Program& program,
                      const ExecuteOptions& options, GpuTransport transport,
                      const RanksOfProcess& mine, ProcessGroup* group = nullptr);

}  // namespace cpbench
