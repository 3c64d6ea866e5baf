// cuDNN graphs that compute attention. The process keeps one graph per shape.
//
//   const SdpaGraph& graph = sdpa_graph(shape, seconds);   // builds it the first time
//   graph.run(input, stream, workspace);
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/execute_cuda/attention/cudnn_call.h"

namespace cpbench {

int loaded_cudnn();  // version: 91900 is 9.19.0

class SdpaGraph {
 public:
  virtual ~SdpaGraph() = default;
  virtual int64_t workspace_bytes() const = 0;
  // Any thread may run the graph, with its device current.
  virtual void run(const CudnnForwardInput& input, cudaStream_t stream,
                   std::byte* workspace) const = 0;
  virtual void run(const CudnnBackwardInput& input, cudaStream_t stream,
                   std::byte* workspace) const = 0;
};

// Returns the graph for the current device, which lives as long as the process. If this call builds
// it, adds the time to `seconds`. Throws UserError if cuDNN has no execution plan for the shape.
const SdpaGraph& sdpa_graph(const CudnnShape& shape, double& seconds);

// For tests without a GPU: throws the same for the GPU that these properties describe, in the JSON
// of CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, which cuDNN supports since 9.8.
void check_sdpa_graph(const CudnnShape& shape, const std::string& properties);

}  // namespace cpbench
