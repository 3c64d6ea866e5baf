// The reference computed by LibTorch's matrix products, on a CPU or a GPU, for problems that are
// too large for the CPU kernels.
#pragma once

#include <optional>

#include "harness/execute/reference.h"

namespace cpbench {

// Whether LibTorch was built with CUDA and finds a GPU. The first call loads its CUDA library.
bool cuda_tensors_work();

// Computes O, dQ, dK and dV from the inputs of `seed`, which are rounded to the shape's dtype
// first, a block of queries at a time: in float32 on a GPU, whose memory is free again afterwards,
// or without one in float64 on the CPU.
Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                          Passes passes, std::optional<int32_t> gpu = std::nullopt);

}  // namespace cpbench
