// The names of the attention kernels for GPUs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

// The fastest first: "cudnn", "flash3" (FlashAttention-3), "flash" (FlashAttention-2), "reference"
// (this project's plain loops).
const std::vector<std::string>& gpu_kernel_names();

// Throws UserError if the kernel cannot leave `sm_margin` SMs free.
void check_sm_margin(const std::string& kernel, int32_t sm_margin);

}  // namespace cpbench
