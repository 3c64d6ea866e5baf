// Attention of whole documents by LibTorch's matrix products, on a CPU or a GPU: where there is too
// much of it for the kernels of a CPU.
#pragma once

#include "harness/execute/reference.h"

namespace cpbench {

enum class TensorDevice : uint8_t { cpu, cuda };

// Whether LibTorch has CUDA and finds a GPU. Loads its CUDA part the first time.
bool cuda_tensors_work();

// O, dQ, dK and dV on the inputs of `seed`, rounded to the shape's dtype first; computed in float64
// on a CPU and in float32 on a GPU, a block of queries at a time.
Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                          Passes passes, TensorDevice device);

}  // namespace cpbench
