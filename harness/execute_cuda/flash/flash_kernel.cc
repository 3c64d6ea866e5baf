// FlashAttention-2 and -3 through LibTorch's operators. flash_call.h describes the steps around
// them. Both are in one module, because LibTorch's allocator can be replaced only once.
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "harness/execute_cuda/attention/check_shape.h"
#include "harness/execute_cuda/attention/launch_bodies.h"
#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/flash/flash2.h"
#include "harness/execute_cuda/flash/flash3.h"
#include "harness/execute_cuda/flash/load_flash3.h"
#include "harness/execute_cuda/flash/operator_memory.h"
#include "harness/execute_cuda/open_kernel.h"

namespace cpbench {
namespace {

// Rethrows an exception of LibTorch without its stack trace.
template <typename Call>
auto call_torch(const Call& call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw std::runtime_error("LibTorch: " + std::string(error.what_without_backtrace()));
  }
}

template <typename Library>
class TorchMachine : public GpuMachine {
 public:
  static constexpr bool kReadsBeyond = Library::kReadsBeyond;

  TorchMachine(int device, cudaStream_t stream, bool library_only, std::byte* memory, int64_t bytes,
               MoreMemory& more, const Library& library)
      : GpuMachine(stream, library_only),
        device_(at::kCUDA, static_cast<c10::DeviceIndex>(device)),
        stream_guard_(c10::cuda::getStreamFromExternal(stream, device_.index())),
        memory_(memory, bytes, more),
        library_(library) {}

  FlashOutput forward(const FlashForwardInput& in) {
    next_operator();
    if (in.out && Library::kAllocatesOutput) {
      memory_.place(elements_of(in.q, in.width) * 2, in.out);
    }
    return library_.forward(in, TorchTensors(device_), held_);
  }
  FlashGradients backward(const FlashBackwardInput& in) {
    next_operator();
    return library_.backward(in, TorchTensors(device_), held_);
  }

 private:
  // Results are released before their memory is reused.
  void next_operator() {
    forget_cuda_error();
    held_.clear();
    memory_.reset();
  }

  c10::InferenceMode no_autograd_;
  c10::Device device_;
  c10::cuda::CUDAStreamGuard stream_guard_;
  OperatorMemory memory_;
  HeldTensors held_;
  const Library& library_;
};

template <typename Call, typename Library>
class FlashBoundCall : public BoundCall {
 public:
  template <typename LibraryCall>
  FlashBoundCall(const LibraryCall& call, const Library& library) : call_(call), library_(library) {
    check_cuda(cudaGetDevice(&device_), "cudaGetDevice");
    call_.for_each_input([&](const auto& input) {
      library_bytes_ = std::max(library_bytes_, Library::memory_of(input));
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
    call_torch([&] {
      TorchMachine<Library> machine(device_, stream, library_only,
                                    workspace + call_.scratch_bytes(), library_bytes_, more_,
                                    library_);
      call_.run(machine, workspace);
    });
  }

  int device_ = 0;
  Call call_;
  const Library& library_;
  int64_t library_bytes_ = 0;
  mutable MoreMemory more_;
};

template <typename Library>
class FlashKernel : public GpuKernel {
 public:
  using CheckShape = void(const AttentionShape& shape, int32_t capability);
  FlashKernel(CheckShape* check_shape, const Library& library)
      : check_shape_(check_shape), library_(library) {}

  void check(const AttentionShape& shape) const override {
    check_shape_(shape, current_capability());
  }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override {
    return bound<FlashForwardCall<TorchMachine<Library>>>(call);
  }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override {
    return bound<FlashBackwardCall<TorchMachine<Library>>>(call);
  }

 private:
  template <typename Call, typename LibraryCall>
  std::unique_ptr<BoundCall> bound(const LibraryCall& call) const {
    return std::make_unique<FlashBoundCall<Call, Library>>(call, library_);
  }

  CheckShape* check_shape_;
  Library library_;
};

}  // namespace
}  // namespace cpbench

extern "C" cpbench::GpuKernel* cpbench_make_gpu_kernel(int32_t) {
  cpbench::replace_operator_allocator();
  return new cpbench::FlashKernel(&cpbench::check_flash_shape, cpbench::Flash2());
}

extern "C" cpbench::GpuKernel* cpbench_make_flash3_kernel(int32_t sm_margin) {
  cpbench::load_flash3();
  cpbench::replace_operator_allocator();
  return new cpbench::FlashKernel(&cpbench::check_flash3_shape, cpbench::Flash3(sm_margin));
}
