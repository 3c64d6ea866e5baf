// The executor on GPUs: this process runs some or all ranks of the program, a GPU each over NCCL,
// or several on a GPU.
#pragma once

#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu.h"

namespace cpbench {

// The ranks of this process, [first_rank, first_rank + devices.size()), with their GPUs.
struct RanksHere {
  int32_t first_rank = 0;
  std::vector<int32_t> devices;
};

// As execute_threads, in the GPU's arithmetic. At least one warm-up iteration is run. With a group
// it is called on every process inside a work of the group; what every rank measured is in process
// 0's timeline.
Timeline execute_gpus(const Problem& problem, const Plan& plan, const Program& program,
                      const ExecuteOptions& options, GpuTransport transport, const RanksHere& here,
                      ProcessGroup* group = nullptr);

}  // namespace cpbench
