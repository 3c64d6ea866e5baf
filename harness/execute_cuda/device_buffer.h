// A buffer of a program in the memory of the current GPU, outside of a program: for timings.
//
//   const DeviceBuffer kv({.tensor = Tensor::kv, .heads = {0, 2}, .rows = 64}, shape);
//   kv.fill(0, Input::k, seed, stream);
#pragma once

#include "harness/execute/bound_buffer.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/rows.h"

namespace cpbench {

struct DeviceBuffer {
  // All elements are zero at first.
  DeviceBuffer(const Buffer& layout, const AttentionShape& shape)
      : layout(layout),
        memory(static_cast<size_t>(parts_of(layout, shape).bytes)),
        bound(bound_at(layout, shape, memory.data())) {
    memory.fill(0);
  }
  Matrix part(int32_t index) const { return matrix_of(bound, index, layout.heads); }
  void fill(int32_t index, Input input, uint64_t seed, cudaStream_t stream) const {
    launch_fill_input(part(index), input, {0, layout.rows}, 0, seed, stream);
  }

  Buffer layout;
  DeviceArray<std::byte> memory;
  BoundBuffer bound;
};

}  // namespace cpbench
