// How kernels of this project are written. A body is a struct that is copied to the GPU, and its
// call operator is the work of one thread. Bodies use no shared memory and no barrier, so the same
// body also runs on a CPU, one thread after another, where tests compare it with its oracle.
//
//   struct Fill {
//     float* to;
//     int64_t count;
//     CPBENCH_DEVICE void operator()(const Thread& t) const;
//   };
//   launch(Fill{to, count}, count, stream);   // in a .cu file
//
// In some bodies a group of lanes (a power of two, at most a warp) shares one item. Each lane takes
// every lanes-th column, and lanes exchange sums and first values. On a CPU a group is one lane,
// which does all the work.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define CPBENCH_DEVICE __host__ __device__
#else
#define CPBENCH_DEVICE
#endif

namespace cpbench {

inline constexpr int32_t kWarp = 32;  // the most lanes of a group

struct Thread {
  int64_t index = 0;  // of the group in the launch
  int64_t count = 1;  // number of groups; a body strides by it
  int32_t lane = 0;   // in the group
  int32_t lanes = 1;  // in each group
};

#ifdef __CUDA_ARCH__
__device__ inline unsigned lanes_of_group(const Thread& t) {
  const unsigned lanes = t.lanes == kWarp ? ~0u : (1u << t.lanes) - 1;
  return lanes << (threadIdx.x % kWarp - t.lane);
}
#endif

// Returns the sum of all lanes' values in all lanes. The order of the sum is always the same.
template <typename T>
CPBENCH_DEVICE T sum_over_lanes([[maybe_unused]] const Thread& t, T value) {
#ifdef __CUDA_ARCH__
  for (int32_t step = t.lanes / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(lanes_of_group(t), value, step, t.lanes);
  }
#endif
  return value;
}

// Returns the value of lane 0 in all lanes.
template <typename T>
CPBENCH_DEVICE T of_first_lane([[maybe_unused]] const Thread& t, T value) {
#ifdef __CUDA_ARCH__
  value = __shfl_sync(lanes_of_group(t), value, 0, t.lanes);
#endif
  return value;
}

}  // namespace cpbench

#ifdef __CUDACC__
#include "harness/execute_cuda/cuda_check.h"

namespace cpbench {

inline constexpr int kThreadsPerBlock = 256;
// Enough to fill the largest GPU several times. Larger launches stride.
inline constexpr int64_t kMostBlocks = 16384;

template <typename Body>
__global__ void __launch_bounds__(kThreadsPerBlock)
    run_body(const __grid_constant__ Body body, int32_t lanes_log2) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kThreadsPerBlock + threadIdx.x;
  const int64_t count = static_cast<int64_t>(gridDim.x) * kThreadsPerBlock;
  const int32_t lanes = 1 << lanes_log2;
  body(Thread{index >> lanes_log2, count >> lanes_log2, static_cast<int32_t>(index & (lanes - 1)),
              lanes});
}

// Runs at least `groups` groups. A body must check where its work ends.
template <typename Body>
void launch(const Body& body, int64_t groups, cudaStream_t stream, int32_t lanes_log2 = 0) {
  if (groups <= 0) return;
  const int64_t wanted = ((groups << lanes_log2) + kThreadsPerBlock - 1) / kThreadsPerBlock;
  const auto blocks = static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
  forget_cuda_error();
  run_body<<<blocks, kThreadsPerBlock, 0, stream>>>(body, lanes_log2);
  check_cuda(cudaGetLastError(), "a kernel launch");
}

}  // namespace cpbench
#endif
