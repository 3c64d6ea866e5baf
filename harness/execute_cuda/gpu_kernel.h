// The kernel interface of kernel.h on a GPU: calls are bound once to their addresses, and then
// enqueued any number of times without allocating or deciding anything.
//
//   std::unique_ptr<BoundCall> call = kernel.bind(forward_call);  // matrices in device memory
//   call->launch(stream, workspace);
//
// A bound call keeps what it needs of the call's segments, whose memory may go.
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
  // Device memory that one launch uses, from its start to its end on the stream.
  virtual int64_t workspace_bytes() const { return 0; }
  // On the device that was current in `bind`. `workspace` is aligned to kWorkspaceAlignment.
  virtual void launch(cudaStream_t stream, std::byte* workspace) const = 0;
  // For timing: what the library is asked alone, without what surrounds it. Results are not there.
  virtual void launch_library(cudaStream_t stream, std::byte* workspace) const {
    launch(stream, workspace);
  }
};

// Rows without a visible key get O = 0 and log-sum-exp -infinity. O may be in the model's dtype or
// in the accumulation dtype, log-sum-exp, row sums and the gradients are in the accumulation dtype.
// Rows of the outputs outside all segments are left alone; gradients are added to.
class GpuKernel {
 public:
  virtual ~GpuKernel() = default;
  // Throws UserError that names what it cannot do: head size, dtype, GPU.
  virtual void check(const AttentionShape& shape) const = 0;
  // Each rank binds and launches from a thread of its own.
  virtual std::unique_ptr<BoundCall> bind(const ForwardCall& call) const = 0;
  virtual std::unique_ptr<BoundCall> bind(const BackwardCall& call) const = 0;
  // Of what `bind` has taken so far: building plans of a library, apart from running them.
  virtual double build_seconds() const { return 0; }
};

// Plain loops in the accumulation dtype, for any shape and dtype: the oracle of the others.
std::unique_ptr<GpuKernel> make_gpu_reference_kernel();

}  // namespace cpbench
