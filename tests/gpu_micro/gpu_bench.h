// What the benchmarks of this folder share: a stream, its clock, buffers in the GPU's memory.
#pragma once

#include <functional>

#include "harness/execute/bound_buffer.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/rows.h"

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

class Stopwatch {
 public:
  Stopwatch() {
    check_cuda(cudaEventCreate(&start_), "cudaEventCreate");
    check_cuda(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~Stopwatch() {
    static_cast<void>(cudaEventDestroy(start_));
    static_cast<void>(cudaEventDestroy(end_));
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  // Seconds of one of so many launches, back to back: they do not wait for the host.
  double time(const std::function<void()>& launch, int64_t launches) {
    check_cuda(cudaEventRecord(start_, stream()), "cudaEventRecord");
    for (int64_t i = 0; i < launches; ++i) launch();
    check_cuda(cudaEventRecord(end_, stream()), "cudaEventRecord");
    check_cuda(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, start_, end_), "cudaEventElapsedTime");
    return milliseconds * 1e-3 / static_cast<double>(launches);
  }

 private:
  cudaEvent_t start_ = nullptr, end_ = nullptr;
};

// Every part holds numbers like those of inputs.
struct DeviceBuffer {
  DeviceBuffer(const AttentionShape& shape, Tensor tensor, ElementClass elements, Heads heads,
               int64_t rows)
      : layout{.tensor = tensor, .elements = elements, .heads = heads, .rows = rows},
        bytes(parts_of(layout, shape).bytes),
        memory(static_cast<size_t>(bytes)),
        bound(bound_at(layout, shape, memory.data())) {
    for (int32_t p = 0; p < bound.parts.count; ++p) {
      launch_fill_input(part(p), Input::q, {0, rows}, 0, 1, stream());
    }
  }
  Matrix part(int32_t index) const { return matrix_of(bound, index, layout.heads); }

  Buffer layout;
  int64_t bytes;
  DeviceArray<std::byte> memory;
  BoundBuffer bound;
};

}  // namespace cpbench
