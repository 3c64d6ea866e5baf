// Runs a compiled program on real tensors. In the threads executor each rank is a thread, and
// tensors are LibTorch's on the CPU.
//
//   const Program program = compile(problem, plan, Passes::both);
//   const Timeline timeline = execute_threads(problem, program, {.iterations = 5});
//   timeline.accuracy.ok()   // whether the outputs and gradients are right
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

// How many thread blocks (CTAs) NCCL uses; 0 and "" leave it to NCCL.
struct NcclOptions {
  int32_t min_ctas = 0, max_ctas = 0;
  std::string cta_policy;  // "efficiency": as few as are fast enough
  bool operator==(const NcclOptions&) const = default;
};

struct ExecuteOptions {
  Passes passes = Passes::both;  // must be those of the program
  std::string kernel = "fused";  // one of kernel_names() or gpu_kernel_names()
  int32_t warmup = 1;            // iterations before the samples; at least 0
  int32_t iterations = 3;        // samples; at least 1. The very first iteration is verified.
  double timeout_seconds = 120;  // ends the run when no rank makes progress for this long
  uint64_t seed = 1;             // of Q, K, V and dO
  bool graph = false;            // samples are CUDA graphs, if the transport supports it
  int32_t sm_margin = 0;         // SMs that a kernel on a GPU leaves free
  NcclOptions nccl;              // of the transport over NCCL
  // After the samples, also measures its portions (PortionTimes). Samples that are graphs
  // have none.
  bool portions = false;
};

// A rank threw an exception or hung: "rank 3, forward step 2: <reason>".
class ExecutionFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The run needs more memory than there is: "GPU 0 would need 210 GB and has 139 GB free of 141 GB".
// Thrown before anything runs.
class DoesNotFit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

const std::vector<std::string>& kernel_names();  // "reference" (plain, float64), "fused" (LibTorch)

// Throws ExecutionFailure, std::bad_alloc if a rank ran out of memory, and UserError for an unknown
// kernel, or options or a shape that it does not support.
Timeline execute_threads(const Problem& problem, const Program& program,
                         const ExecuteOptions& options);

// FLOP/s of one core of this machine in a large matrix product of this dtype, measured once per
// process. It is the peak to which the MFU of threads refers.
double core_peak_flops_per_second(Dtype dtype);

}  // namespace cpbench
