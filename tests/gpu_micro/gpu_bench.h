// What the benchmarks of this folder share: a stream, a stopwatch for it, and how buffers are
// filled.
#pragma once

#include <functional>

#include "harness/execute_cuda/device_buffer.h"

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

  // The seconds per launch of many launches that are enqueued one after another, so that the GPU
  // does not wait for the host.
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

// Fills every part with numbers like those of inputs.
inline void fill_all(const DeviceBuffer& buffer) {
  for (int32_t p = 0; p < buffer.bound.parts.count; ++p) buffer.fill(p, Input::q, 1, stream());
}

}  // namespace cpbench
