// The reference for runs on GPUs: attention of whole documents in float32 on a GPU, and one plain
// run of the same kernel on one GPU, from which the tolerances follow.
//
//   const auto reference = gpu_reference_for(problem, options, device);
#pragma once

#include <memory>

#include "harness/execute/gpus/gpu.h"

namespace cpbench {

// `device` is a GPU of this process's own: other processes may see the same GPUs, and use them.
//
// The reference has all heads, or only those of the first KV head if all would take too long: heads
// are independent of each other. The last few references are kept. It is computed on the CPU if
// LibTorch was built without CUDA. Only one thread may call this.
std::shared_ptr<const Reference> gpu_reference_for(const Problem& problem,
                                                   const ExecuteOptions& options, int32_t device);

// The plan of the plain run: one rank attends to everything in one operation.
Plan single_rank_plan(const Problem& problem);

}  // namespace cpbench
