// The names of the attention kernels for GPUs.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

// The fastest first: "cudnn", "flash" (FlashAttention-2), "reference" (this project's plain loops).
const std::vector<std::string>& gpu_kernel_names();

}  // namespace cpbench
