// Stands for cpbench_flash.so on a fake GPU: kernel 'flash3' as in flash_kernel.cc, except that the
// operators, and the steps around them, run on the CPU, in host functions of the stream. LibTorch's
// CUDA library cannot run on a fake GPU.
#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>

#include "harness/execute/torch.h"
#include "harness/execute_cuda/attention/check_shape.h"
#include "harness/execute_cuda/attention/find_flash3.h"
#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/flash/flash3.h"
#include "harness/execute_cuda/open_kernel.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

using Task = std::function<void()>;

// All tasks are kept, because a graph may run one again.
void enqueue(Task task, cudaStream_t stream) {
  static std::mutex mutex;
  static auto* const tasks = new std::deque<Task>;
  const std::lock_guard lock(mutex);
  const auto run = [](void* data) { (*static_cast<Task*>(data))(); };
  check_cuda(cudaLaunchHostFunc(stream, run, &tasks->emplace_back(std::move(task))),
             "cudaLaunchHostFunc");
}

// The results of an operator in the workspace of a call.
struct ForwardResults {
  BFloat16* out = nullptr;
  float* lse = nullptr;
  int64_t out_size, lse_size, bytes;

  ForwardResults(const FlashForwardInput& in, std::byte* memory)
      : out_size(elements_of(in.q, in.width)), lse_size(in.q.rows * in.q.heads) {
    Scratch scratch(memory);
    scratch.take(out, out_size);
    scratch.take(lse, lse_size);
    bytes = scratch.bytes();
    if (in.out) out = in.out;
  }
};
struct BackwardResults {
  BFloat16 *dq = nullptr, *dk = nullptr, *dv = nullptr;
  int64_t q_size, kv_size, bytes;

  BackwardResults(const FlashBackwardInput& in, std::byte* memory)
      : q_size(elements_of(in.q, in.width)), kv_size(elements_of(in.k, in.width)) {
    Scratch scratch(memory);
    scratch.take(dq, q_size);
    scratch.take(dk, kv_size);
    scratch.take(dv, kv_size);
    bytes = scratch.bytes();
  }
};
int64_t result_bytes(const FlashForwardInput& in) { return ForwardResults(in, nullptr).bytes; }
int64_t result_bytes(const FlashBackwardInput& in) { return BackwardResults(in, nullptr).bytes; }

template <typename T>
void copy(const T* from, T* to, int64_t count) {
  if (from != to) std::memcpy(to, from, static_cast<size_t>(count) * sizeof(T));
}

class HostMachine {
 public:
  template <typename T>
  using Array = DeviceArray<T>;
  static constexpr int32_t kHeadLanes = 1;  // lanes of a CPU exchange nothing
  static constexpr bool kReadsBeyond = Flash3::kReadsBeyond;
  HostMachine(cudaStream_t stream, std::byte* memory, const Flash3& library)
      : stream_(stream), memory_(memory), library_(library) {}

  template <typename Body>
  void launch(const Body& body) const {
    enqueue([body] { body(Thread{}); }, stream_);
  }

  FlashOutput forward(const FlashForwardInput& in) const {
    const ForwardResults to(in, memory_);
    enqueue(
        [in, to, &library = library_] {
          HeldTensors held;
          const FlashOutput computed = library.forward(in, TorchTensors(at::kCPU), held);
          copy(computed.out, to.out, to.out_size);
          copy(computed.lse, to.lse, to.lse_size);
        },
        stream_);
    return {to.out, to.lse};
  }
  FlashGradients backward(const FlashBackwardInput& in) const {
    const BackwardResults to(in, memory_);
    enqueue(
        [in, to, &library = library_] {
          HeldTensors held;
          const FlashGradients computed = library.backward(in, TorchTensors(at::kCPU), held);
          copy(computed.dq, to.dq, to.q_size);
          copy(computed.dk, to.dk, to.kv_size);
          copy(computed.dv, to.dv, to.kv_size);
        },
        stream_);
    return {to.dq, to.dk, to.dv};
  }

 private:
  cudaStream_t stream_;
  std::byte* memory_;
  const Flash3& library_;
};

template <typename Call>
class HostBoundCall : public BoundCall {
 public:
  template <typename LibraryCall>
  HostBoundCall(const LibraryCall& call, const Flash3& library) : call_(call), library_(library) {
    call_.for_each_input(
        [&](const auto& input) { result_bytes_ = std::max(result_bytes_, result_bytes(input)); });
  }
  int64_t workspace_bytes() const override { return call_.scratch_bytes() + result_bytes_; }
  void launch(cudaStream_t stream, std::byte* workspace) const override {
    HostMachine machine(stream, workspace + call_.scratch_bytes(), library_);
    call_.run(machine, workspace);
  }

 private:
  Call call_;
  const Flash3& library_;
  int64_t result_bytes_ = 0;
};

class HostKernel : public GpuKernel {
 public:
  explicit HostKernel(int32_t sm_margin) : library_(sm_margin) {}
  void check(const AttentionShape& shape) const override {
    check_flash3_shape(shape, current_capability());
  }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override {
    return std::make_unique<HostBoundCall<FlashForwardCall<HostMachine>>>(call, library_);
  }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override {
    return std::make_unique<HostBoundCall<FlashBackwardCall<HostMachine>>>(call, library_);
  }

 private:
  Flash3 library_;
};

}  // namespace
}  // namespace cpbench

extern "C" cpbench::GpuKernel* cpbench_make_flash3_kernel(int32_t sm_margin) {
  const auto found = cpbench::find_flash3(cpbench::open_torch().packages());
  if (!found || !dlopen(found->library.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
    throw cpbench::UserError("the fake FlashAttention-3 is missing");
  }
  return new cpbench::HostKernel(sm_margin);
}
