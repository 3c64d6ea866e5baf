// The reference computed by LibTorch's matrix products, on a CPU or a GPU, for problems that are
// too large for the CPU kernels.
#pragma once

#include "harness/execute/reference.h"

namespace cpbench {

enum class TensorDevice : uint8_t { cpu, cuda };

// Whether LibTorch was built with CUDA and finds a GPU. The first call loads its CUDA library.
bool cuda_tensors_work();

// Computes O, dQ, dK and dV from the inputs of `seed`, which are rounded to the shape's dtype
// first. It computes in float64 on a CPU and in float32 on a GPU, a block of queries at a time.
Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                          Passes passes, TensorDevice device);

}  // namespace cpbench
