// FlashAttention-2 through LibTorch's operators. flash_call.h describes the steps around them.
#include <ATen/core/Tensor.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "harness/execute_cuda/attention/check_shape.h"
#include "harness/execute_cuda/attention/flash_call.h"
#include "harness/execute_cuda/attention/launch_bodies.h"
#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/flash/operator_memory.h"
#include "harness/execute_cuda/open_kernel.h"

namespace cpbench {
namespace {

// For what the operators allocate besides the large tensors, and for rounding.
constexpr int64_t kSmallTensors = int64_t{1} << 16;

int64_t elements(const FlashTensor& t, int32_t width) { return t.rows * t.heads * width; }

// What mha_varlen_fwd allocates: the output and log-sum-exp.
int64_t memory_of(const FlashForwardInput& in) {
  const int64_t out = in.out ? 0 : elements(in.q, in.width) * 2;
  return out + in.q.rows * in.q.heads * 4 + kSmallTensors;
}

// What mha_varlen_bwd allocates: the gradients, dQ in float32, the row sums, and for grouped heads
// dK and dV of all query heads.
int64_t memory_of(const FlashBackwardInput& in) {
  const int64_t padded_rows = in.q.rows + 128 * int64_t{in.sequences};
  const int64_t multiple = in.width <= 128 ? 32 : 64;
  const int64_t padded_width = (in.width + multiple - 1) / multiple * multiple;
  int64_t bytes = elements(in.q, in.width) * 2 + 2 * elements(in.k, in.width) * 2;
  bytes += padded_rows * in.q.heads * (padded_width + 1) * 4;
  if (in.k.heads != in.q.heads) bytes += 2 * in.k.rows * in.q.heads * in.width * 2;
  return bytes + kSmallTensors;
}

// Rethrows an exception of LibTorch without its stack trace.
template <typename Call>
auto call_torch(const Call& call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw std::runtime_error("LibTorch: " + std::string(error.what_without_backtrace()));
  }
}

class TorchMachine : public GpuMachine {
 public:
  TorchMachine(int device, cudaStream_t stream, bool library_only, std::byte* memory, int64_t bytes,
               MoreMemory& more)
      : GpuMachine(stream, library_only),
        device_(at::kCUDA, static_cast<c10::DeviceIndex>(device)),
        stream_guard_(c10::cuda::getStreamFromExternal(stream, device_.index())),
        unused_(blob(memory, {2}, {1}, at::kUInt64)),
        memory_(memory, bytes, more) {}

  FlashOutput forward(const FlashForwardInput& in) {
    next_operator();
    if (in.out) memory_.place(elements(in.q, in.width) * 2, in.out);
    auto [out, lse, rng_state, unused, mask] = at::_flash_attention_forward(
        tensor(in.q, in.width), tensor(in.k, in.width), tensor(in.v, in.width),
        ints(in.q_starts, in.sequences + 1), ints(in.k_starts, in.sequences + 1), in.max_q,
        in.max_k, 0.0, causal(in), false, std::optional<double>(in.scale), left(in), right(in),
        std::optional<at::Tensor>(ints(in.k_used, in.sequences)), std::optional<at::Tensor>());
    TORCH_CHECK(out.is_contiguous() && lse.is_contiguous() && lse.dim() == 2 &&
                    lse.size(0) == in.q.heads && lse.size(1) == in.q.rows,
                "FlashAttention's log-sum-exp does not have shape [heads, rows]");
    held_ = {out, lse};
    return {static_cast<const BFloat16*>(out.data_ptr()), lse.data_ptr<float>()};
  }

  FlashGradients backward(const FlashBackwardInput& in) {
    next_operator();
    const at::Tensor lse = blob(in.lse, {in.q.heads, in.q.rows}, {in.q.rows, 1}, at::kFloat);
    auto [dq, dk, dv] = at::_flash_attention_backward(
        tensor(in.d_o, in.width), tensor(in.q, in.width), tensor(in.k, in.width),
        tensor(in.v, in.width), tensor(in.out, in.width), lse, ints(in.q_starts, in.sequences + 1),
        ints(in.k_starts, in.sequences + 1), in.max_q, in.max_k, 0.0, causal(in), unused_, unused_,
        std::optional<double>(in.scale), left(in), right(in));
    TORCH_CHECK(dq.is_contiguous() && dk.is_contiguous() && dv.is_contiguous(),
                "FlashAttention's gradients are not dense");
    held_ = {dq, dk, dv};
    const auto data = [](const at::Tensor& t) {
      return static_cast<const BFloat16*>(t.data_ptr());
    };
    return {data(dq), data(dk), data(dv)};
  }

 private:
  // Results are released before their memory is reused.
  void next_operator() {
    forget_cuda_error();
    held_.clear();
    memory_.reset();
  }

  static bool causal(const FlashInput& in) { return in.window == kCausal; }
  static std::optional<int64_t> left(const FlashInput& in) {
    return causal(in) || in.window == kFull ? std::nullopt : std::optional<int64_t>(in.window.left);
  }
  static std::optional<int64_t> right(const FlashInput& in) {
    return causal(in) || in.window == kFull ? std::nullopt
                                            : std::optional<int64_t>(in.window.right);
  }

  at::Tensor blob(const void* data, at::IntArrayRef sizes, at::IntArrayRef strides,
                  at::ScalarType type) const {
    return at::for_blob(const_cast<void*>(data), sizes)
        .strides(strides)
        .options(at::TensorOptions().dtype(type).device(device_))
        .target_device(device_)
        .make_tensor();
  }
  at::Tensor tensor(const FlashTensor& t, int64_t width) const {
    return blob(t.data, {t.rows, t.heads, width}, {t.row_stride, width, 1}, at::kBFloat16);
  }
  at::Tensor ints(const int32_t* data, int64_t count) const {
    return blob(data, {count}, {1}, at::kInt);
  }

  c10::InferenceMode no_autograd_;
  c10::Device device_;
  c10::cuda::CUDAStreamGuard stream_guard_;
  at::Tensor unused_;  // for the state of dropout, which is not used
  OperatorMemory memory_;
  std::vector<at::Tensor> held_;
};

template <typename Call>
class FlashBoundCall : public BoundCall {
 public:
  template <typename LibraryCall>
  explicit FlashBoundCall(const LibraryCall& call) : call_(call) {
    check_cuda(cudaGetDevice(&device_), "cudaGetDevice");
    call_.for_each_input(
        [&](const auto& input) { library_bytes_ = std::max(library_bytes_, memory_of(input)); });
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
      TorchMachine machine(device_, stream, library_only, workspace + call_.scratch_bytes(),
                           library_bytes_, more_);
      call_.run(machine, workspace);
    });
  }

  int device_ = 0;
  Call call_;
  int64_t library_bytes_ = 0;
  mutable MoreMemory more_;
};

class FlashKernel : public GpuKernel {
 public:
  void check(const AttentionShape& shape) const override {
    check_flash_shape(shape, current_capability());
  }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override {
    return std::make_unique<FlashBoundCall<FlashForwardCall<TorchMachine>>>(call);
  }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override {
    return std::make_unique<FlashBoundCall<FlashBackwardCall<TorchMachine>>>(call);
  }
};

}  // namespace
}  // namespace cpbench

extern "C" cpbench::GpuKernel* cpbench_make_gpu_kernel() {
  cpbench::replace_operator_allocator();
  return new cpbench::FlashKernel;
}
