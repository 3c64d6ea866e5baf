// The module of one kernel.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/execute_cuda/gpu_kernel.h"

namespace cpbench {

// Loads cpbench_<name>.so from `folder` and makes its kernel. Throws UserError.
std::unique_ptr<GpuKernel> load_kernel(const std::string& name,
                                       const std::filesystem::path& folder);

}  // namespace cpbench
