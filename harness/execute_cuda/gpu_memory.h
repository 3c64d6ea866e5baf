// How much memory a GPU has, and whether a run fits.
#pragma once

#include <cstdint>

namespace cpbench {

int64_t free_gpu_bytes();  // of the current GPU

// Throws DoesNotFit with the numbers if the GPU has less free memory. Makes the GPU the current
// one.
void require_gpu_memory(int32_t device, int64_t bytes);

}  // namespace cpbench
