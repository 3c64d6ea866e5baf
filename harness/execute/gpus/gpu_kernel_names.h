// The attention kernels for GPUs, by name.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

// The fastest first: "cudnn", "flash" (FlashAttention-2), "reference" (plain loops of this
// project).
const std::vector<std::string>& gpu_kernel_names();

}  // namespace cpbench
