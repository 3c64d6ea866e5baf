// What runs on GPUs are held against: attention of whole documents in float32 on a GPU, and one
// plain run of the same kernel on one GPU, to which the tolerances refer.
#pragma once

#include <memory>

#include "harness/execute/gpus/gpu.h"

namespace cpbench {

// Of all heads, or where that is too much of those of the first KV head: heads do not know of each
// other. The last few are remembered. On the CPU where LibTorch has no CUDA.
std::shared_ptr<const Reference> gpu_reference_for(const Problem& problem,
                                                   const ExecuteOptions& options);

}  // namespace cpbench
