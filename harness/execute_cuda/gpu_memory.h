// How much of a GPU's memory there is, and whether a run fits.
#pragma once

#include <cstdint>

namespace cpbench {

int64_t free_gpu_bytes();  // of the current GPU

// Throws DoesNotFit with the numbers. The GPU is the current one afterwards.
void require_gpu_memory(int32_t device, int64_t bytes);

}  // namespace cpbench
