// Loads the module of one attention kernel.
#pragma once

#include <memory>
#include <string>

#include "harness/execute_cuda/gpu_kernel.h"

namespace cpbench {

// Loads the module of the kernel ("flash", "flash3" or "cudnn") and makes it. Throws UserError if
// the module was not built or cannot be loaded, or the library is too old. The kernel must have an
// sm_margin if it is not 0 (check_sm_margin).
std::unique_ptr<GpuKernel> load_kernel(const std::string& name, int32_t sm_margin = 0);

// cudnnGetVersion() of the cuDNN that kernel 'cudnn' loads (91900 is 9.19.0); 0 if it cannot be
// loaded.
int loaded_cudnn_version();

}  // namespace cpbench
