// cuDNN's attention behind the kernel interface. cudnn_call.h describes the steps around its
// graphs.
#include <map>

#include "harness/execute_cuda/attention/check_shape.h"
#include "harness/execute_cuda/attention/cudnn_call.h"
#include "harness/execute_cuda/attention/launch_bodies.h"
#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/cudnn/sdpa_graph.h"
#include "harness/execute_cuda/open_kernel.h"

namespace cpbench {
namespace {

using GraphMap = std::map<CudnnShape, const SdpaGraph*>;

class CudnnMachine : public GpuMachine {
 public:
  CudnnMachine(cudaStream_t stream, bool library_only, const GraphMap& graphs, std::byte* workspace)
      : GpuMachine(stream, library_only), graphs_(graphs), workspace_(workspace) {}
  void forward(const CudnnForwardInput& in) const {
    graphs_.at(in.shape)->run(in, stream, workspace_);
  }
  void backward(const CudnnBackwardInput& in) const {
    graphs_.at(in.shape)->run(in, stream, workspace_);
  }

 private:
  const GraphMap& graphs_;
  std::byte* workspace_;
};

template <typename Call>
class CudnnBoundCall : public BoundCall {
 public:
  template <typename LibraryCall>
  explicit CudnnBoundCall(const LibraryCall& call) : call_(call) {
    call_.for_each_shape([&](const CudnnShape& shape) {
      const SdpaGraph& graph = sdpa_graph(shape);
      graphs_[shape] = &graph;
      library_bytes_ = std::max(library_bytes_, graph.workspace_bytes());
    });
  }

  int64_t workspace_bytes() const override { return call_.scratch_bytes() + library_bytes_; }

  void launch(cudaStream_t stream, std::byte* workspace) const override {
    run(stream, workspace, false);
  }
  void launch_library(cudaStream_t stream, std::byte* workspace) const override {
    run(stream, workspace, true);
  }

 private:
  void run(cudaStream_t stream, std::byte* workspace, bool library_only) const {
    CudnnMachine machine(stream, library_only, graphs_, workspace + call_.scratch_bytes());
    call_.run(machine, workspace);
  }

  Call call_;
  GraphMap graphs_;
  int64_t library_bytes_ = 0;
};

class CudnnKernel : public GpuKernel {
 public:
  void check(const AttentionShape& shape) const override {
    check_cudnn_shape(shape, current_capability());
  }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override {
    return std::make_unique<CudnnBoundCall<CudnnForwardCall<CudnnMachine>>>(call);
  }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override {
    return std::make_unique<CudnnBoundCall<CudnnBackwardCall<CudnnMachine>>>(call);
  }
};

}  // namespace
}  // namespace cpbench

extern "C" cpbench::GpuKernel* cpbench_make_gpu_kernel(int32_t) {
  cpbench::check_cudnn_version(cpbench::loaded_cudnn());
  return new cpbench::CudnnKernel;
}

extern "C" int cpbench_cudnn_version() { return cpbench::loaded_cudnn(); }
