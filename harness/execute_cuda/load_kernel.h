// Loads the module of one attention kernel.
#pragma once

#include <memory>
#include <string>

#include "harness/execute_cuda/gpu_kernel.h"

namespace cpbench {

// Loads cpbench_<name>.so ("flash" or "cudnn") and makes its kernel. Throws UserError if the module
// was not built or cannot be loaded, or the library is too old.
std::unique_ptr<GpuKernel> load_kernel(const std::string& name);

// cudnnGetVersion() of the cuDNN that kernel 'cudnn' loads (91900 is 9.19.0); 0 if it cannot be
// loaded.
int loaded_cudnn_version();

}  // namespace cpbench
