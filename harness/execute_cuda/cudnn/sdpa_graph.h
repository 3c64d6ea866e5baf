// A graph of cuDNN that computes attention, and the process's graphs by shape.
//
//   const SdpaGraph& graph = sdpa_graph(shape, seconds);   // builds it where there is none yet
//   graph.run(input, stream, workspace);
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "harness/execute_cuda/attention/cudnn_call.h"

namespace cpbench {

// Throws UserError if the cuDNN that was loaded is too old.
void check_loaded_cudnn();

class SdpaGraph {
 public:
  virtual ~SdpaGraph() = default;
  virtual int64_t workspace_bytes() const = 0;
  // Any thread, on the device that the graph is of.
  virtual void run(const CudnnForwardInput& input, cudaStream_t stream,
                   std::byte* workspace) const = 0;
  virtual void run(const CudnnBackwardInput& input, cudaStream_t stream,
                   std::byte* workspace) const = 0;
};

// The graph of the current device, which lives as long as the process. Adds to `seconds` what
// building it took, if it was built by this call. Throws UserError if cuDNN has no plan for it.
const SdpaGraph& sdpa_graph(const CudnnShape& shape, double& seconds);

}  // namespace cpbench
