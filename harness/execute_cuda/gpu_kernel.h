// The kernel interface of kernel.h on a GPU. A call is bound to its addresses once, and then
// launched any number of times without allocating memory or deciding anything.
//
//   std::unique_ptr<BoundCall> call = kernel.bind(forward_call);  // matrices in device memory
//   call->launch(stream, workspace);
//
// A bound call copies what it needs of the segments, so their memory may be freed.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

#include "harness/execute/kernel.h"

namespace cpbench {

inline constexpr int64_t kWorkspaceAlignment = 256;

class BoundCall {
 public:
  virtual ~BoundCall() = default;
  // The device memory that a launch uses while it runs on the stream.
  virtual int64_t workspace_bytes() const { return 0; }
  // `stream` must be of the device that was current in `bind`, and `workspace` must be aligned to
  // kWorkspaceAlignment.
  virtual void launch(cudaStream_t stream, std::byte* workspace) const = 0;
  // For timing: launches only the library's kernels, without the copies around them. The results
  // are not valid.
  virtual void launch_library(cudaStream_t stream, std::byte* workspace) const {
    launch(stream, workspace);
  }
};

// Rows that see no key get O = 0 and log-sum-exp -infinity. O may be in the model's dtype or in the
// accumulation dtype; log-sum-exp, row sums and gradients are in the accumulation dtype. Output
// rows outside all segments do not change, and gradients are added to what is there.
class GpuKernel {
 public:
  virtual ~GpuKernel() = default;
  // Throws UserError that names what is not supported: head size, dtype or GPU.
  virtual void check(const AttentionShape& shape) const = 0;
  // Each rank binds and launches from a thread of its own.
  virtual std::unique_ptr<BoundCall> bind(const ForwardCall& call) const = 0;
  virtual std::unique_ptr<BoundCall> bind(const BackwardCall& call) const = 0;
};

// Plain loops in the accumulation dtype for any shape and dtype. It is the tests' oracle.
std::unique_ptr<GpuKernel> make_gpu_reference_kernel();

}  // namespace cpbench
