#include <atomic>
#include <chrono>
#include <thread>

#include "harness/execute_cuda/cuda_check.h"
#include "harness/execute_cuda/gate.h"
#include "harness/execute_cuda/launch.h"

namespace cpbench {
namespace {

CPBENCH_DEVICE inline int64_t nanoseconds() {
#ifdef __CUDA_ARCH__
  int64_t now = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
#else
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

CPBENCH_DEVICE inline void pause() {
#ifdef __CUDA_ARCH__
  __nanosleep(100);
#else
  std::this_thread::yield();
#endif
}

}  // namespace

struct WaitForHost {
  static constexpr int64_t kMostNanoseconds = 1'000'000'000;
  const volatile uint32_t* opened;
  uint32_t closed;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    if (t.index > 0) return;
    const int64_t end = nanoseconds() + kMostNanoseconds;
    while (*opened < closed && nanoseconds() < end) pause();
  }
};

Gate::Gate() {
  check_cuda(cudaHostAlloc(reinterpret_cast<void**>(&opened_), sizeof(*opened_),
                           cudaHostAllocMapped | cudaHostAllocPortable),
             "cudaHostAlloc");
  *opened_ = 0;
}

Gate::~Gate() {
  open();
  static_cast<void>(cudaFreeHost(opened_));  // waits for the kernel
}

void Gate::close(cudaStream_t stream) { launch(WaitForHost{opened_, ++closed_}, 1, stream); }

void Gate::open() { std::atomic_ref(*opened_).store(closed_, std::memory_order_release); }

}  // namespace cpbench
