// Runs a compiled program on real tensors. The threads executor: a rank is a thread, tensors are
// LibTorch's on the CPU.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/compile/program.h"
#include "harness/plan/check.h"
#include "harness/plan/problem.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

struct ExecuteOptions {
  Passes passes = Passes::both;
  std::string kernel = "fused";  // one of kernel_names(), or of gpu_kernel_names()
  int32_t warmup = 1;            // iterations before the samples; the first is also verified
  int32_t iterations = 3;        // samples
  double timeout_seconds = 120;  // without progress of any rank; then the run ends
  uint64_t seed = 1;             // of Q, K, V and dO
  bool graph = false;            // samples are of CUDA graphs, where the transport allows
};

// A rank threw or hung: "rank 3, forward step 2: <reason>".
class ExecutionFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "needs 210 GB and the GPU has 139 GB free": found before anything runs.
class DoesNotFit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

const std::vector<std::string>& kernel_names();  // "reference" (plain, float64), "fused" (LibTorch)

Timeline execute_threads(const Problem& problem, const Program& program,
                         const ExecuteOptions& options);

// Seconds-independent fact of this machine: FLOP/s of one core in a large matrix product of this
// dtype, measured once per process. The peak that MFU on threads refers to.
double core_peak_flops_per_second(Dtype dtype);

}  // namespace cpbench
