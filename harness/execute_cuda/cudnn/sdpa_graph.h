// cuDNN graphs that compute attention. The process keeps one graph per shape.
//
//   const SdpaGraph& graph = sdpa_graph(shape);   // builds it the first time
//   graph.run(input, stream, workspace);
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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

// Returns the graph for the current device, which lives as long as the process. It is loaded if
// there is a file for it in the folder that the environment variable names, and built otherwise.
// Throws UserError if cuDNN has no execution plan for the shape.
const SdpaGraph& sdpa_graph(const CudnnShape& shape);
inline constexpr const char* kCudnnGraphsVariable = "CPBENCH_CUDNN_GRAPHS";

// Without a GPU, for the one that `properties` describe in the JSON of
// CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, which cuDNN supports since 9.8. Both throw UserError
// like sdpa_graph. The serialised graph has its compiled code.
void check_sdpa_graph(const CudnnShape& shape, const std::string& properties);
std::vector<uint8_t> serialized_sdpa_graph(const CudnnShape& shape, const std::string& properties);

// The file of a serialised graph for GPUs of one kind and the cuDNN that is loaded:
// "sm_90_with_132_cudnn_91900/<hash of the shape>.graph".
struct CudnnDevice {
  int32_t capability = 0;
  int32_t sms = 0;
};
std::string sdpa_graph_file(const CudnnShape& shape, const CudnnDevice& device);

}  // namespace cpbench
