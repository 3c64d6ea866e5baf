// How kernels of this project are written: a body is a struct, copied to the GPU, whose call
// operator is the work of one thread. It has no shared memory and no barrier, so the same body runs
// thread after thread on a CPU, where tests hold it against its oracle.
//
//   struct Fill { float* to; int64_t count; CPBENCH_DEVICE void operator()(const Thread& t) const; };
//   launch(Fill{to, count}, threads_for(count), stream);   // in a .cu file
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define CPBENCH_DEVICE __host__ __device__
#else
#define CPBENCH_DEVICE
#endif

namespace cpbench {

struct Thread {
  int64_t index = 0;  // of all threads of the launch
  int64_t count = 0;  // a body strides by it
};

}  // namespace cpbench

#ifdef __CUDACC__
#include "harness/execute_cuda/cuda_check.h"

namespace cpbench {

inline constexpr int kThreadsPerBlock = 256;
// Enough to fill the largest GPU several times; beyond it threads stride.
inline constexpr int64_t kMostBlocks = 16384;

template <typename Body>
__global__ void __launch_bounds__(kThreadsPerBlock) run_body(Body body) {
  body(Thread{static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x,
              static_cast<int64_t>(gridDim.x) * blockDim.x});
}

template <typename Body>
void launch(const Body& body, int64_t threads, cudaStream_t stream) {
  if (threads <= 0) return;
  const int64_t wanted = (threads + kThreadsPerBlock - 1) / kThreadsPerBlock;
  const auto blocks = static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
  run_body<<<blocks, kThreadsPerBlock, 0, stream>>>(body);
  check_cuda(cudaGetLastError(), "a kernel launch");
}

}  // namespace cpbench
#endif
