// Times what is launched on one stream.
//
//   Stopwatch stopwatch(stream);
//   stopwatch.seconds([&] { call->launch(stream, workspace); }, 10);   // of one of 10 launches
#pragma once

#include <functional>

#include "harness/execute_cuda/gate.h"
#include "harness/execute_cuda/stream.h"

namespace cpbench {

class Stopwatch {
 public:
  explicit Stopwatch(cudaStream_t stream) : stream_(stream) {}

  // The seconds per call of `work`, which is called at most kMostGated times. All of them are
  // enqueued before the first one runs.
  double seconds(const std::function<void()>& work, int64_t repeats) {
    gate_.close(stream_);
    start_.record(stream_);
    for (int64_t i = 0; i < repeats; ++i) work();
    end_.record(stream_);
    gate_.open();
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return end_.seconds_since(start_) / static_cast<double>(repeats);
  }

 private:
  cudaStream_t stream_;
  Gate gate_;
  CudaEvent start_{CudaEvent::Kind::time}, end_{CudaEvent::Kind::time};
};

}  // namespace cpbench
