// What the benchmarks of this folder share: a stream, and how buffers are filled.
#pragma once

#include "harness/execute_cuda/device_buffer.h"
#include "harness/execute_cuda/stopwatch.h"

namespace cpbench {

void register_rows();
void register_attention();

inline cudaStream_t stream() {
  static const cudaStream_t created = [] {
    cudaStream_t s = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "cudaStreamCreate");
    return s;
  }();
  return created;
}

// Fills every part with numbers like those of inputs.
inline void fill_all(const DeviceBuffer& buffer) {
  for (int32_t p = 0; p < buffer.bound.parts.count; ++p) buffer.fill(p, Input::q, 1, stream());
}

}  // namespace cpbench
