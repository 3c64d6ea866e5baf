// Streams and events of the current GPU.
//
//   const Stream compute, exchange(Stream::Priority::high);
//   const CudaEvent done;
//   done.record(exchange);
//   done.make_wait(compute);   // compute waits until exchange has reached the event
#pragma once

#include <utility>

#include "harness/execute_cuda/cuda_check.h"

namespace cpbench {

class Stream {
 public:
  enum class Priority : uint8_t { normal, high };
  explicit Stream(Priority priority = Priority::normal) {
    int least = 0, greatest = 0;
    check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest),
               "cudaDeviceGetStreamPriorityRange");
    check_cuda(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking,
                                            priority == Priority::high ? greatest : least),
               "cudaStreamCreateWithPriority");
  }
  ~Stream() {
    if (stream_) static_cast<void>(cudaStreamDestroy(stream_));
  }
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&&) = delete;

  operator cudaStream_t() const { return stream_; }
  void synchronize() const { check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class CudaEvent {
 public:
  enum class Kind : uint8_t { order, time };
  explicit CudaEvent(Kind kind = Kind::order) {
    check_cuda(cudaEventCreateWithFlags(
                   &event_, kind == Kind::time ? cudaEventDefault : cudaEventDisableTiming),
               "cudaEventCreateWithFlags");
  }
  ~CudaEvent() {
    if (event_) static_cast<void>(cudaEventDestroy(event_));
  }
  CudaEvent(CudaEvent&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  CudaEvent& operator=(CudaEvent&&) = delete;

  operator cudaEvent_t() const { return event_; }
  void record(cudaStream_t stream) const {
    check_cuda(cudaEventRecord(event_, stream), "cudaEventRecord");
  }
  void make_wait(cudaStream_t stream) const {
    check_cuda(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");
  }
  bool done() const {
    const cudaError_t code = cudaEventQuery(event_);
    if (code == cudaErrorNotReady) {
      forget_cuda_error();  // LibTorch would take it for an error of its next kernel
      return false;
    }
    check_cuda(code, "cudaEventQuery");
    return true;
  }
  // Both events must be done and of Kind::time.
  double seconds_since(const CudaEvent& start) const {
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, start, event_), "cudaEventElapsedTime");
    return 1e-3 * milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

inline void set_device(int32_t device) { check_cuda(cudaSetDevice(device), "cudaSetDevice"); }

}  // namespace cpbench
