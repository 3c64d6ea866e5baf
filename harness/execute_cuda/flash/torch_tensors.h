// Tensors of LibTorch over memory of a call, on one device.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "harness/execute_cuda/attention/flash_call.h"

namespace cpbench {

class TorchTensors {
 public:
  explicit TorchTensors(at::Device device) : device_(device) {}

  at::Tensor blob(const void* data, at::IntArrayRef sizes, at::IntArrayRef strides,
                  at::ScalarType type) const {
    return at::for_blob(const_cast<void*>(data), sizes)
        .strides(strides)
        .options(at::TensorOptions().dtype(type).device(device_))
        .target_device(device_)
        .make_tensor();
  }
  at::Tensor tensor(const FlashTensor& t, int64_t width) const {  // [rows, heads, width]
    return blob(t.data, {t.rows, t.heads, width}, {t.row_stride, width, 1}, at::kBFloat16);
  }
  at::Tensor dense(BFloat16* data, const FlashTensor& like, int64_t width) const {
    return tensor({data, like.rows, like.heads * width, like.heads}, width);
  }
  at::Tensor ints(const int32_t* data, int64_t count) const {
    return blob(data, {count}, {1}, at::kInt);
  }
  at::Tensor lse(const FlashBackwardInput& in) const {
    return blob(in.lse, {in.q.heads, in.q.rows}, {in.q.rows, 1}, at::kFloat);
  }

 private:
  at::Device device_;
};

inline int64_t elements_of(const FlashTensor& t, int32_t width) { return t.rows * t.heads * width; }

// The results of an operator, which own their memory.
using HeldTensors = std::vector<at::Tensor>;

inline FlashOutput output_of(const at::Tensor& out, const at::Tensor& lse,
                             const FlashForwardInput& in, HeldTensors& held) {
  TORCH_CHECK(out.is_contiguous() && lse.is_contiguous() && lse.dim() == 2 &&
                  lse.size(0) == in.q.heads && lse.size(1) == in.q.rows,
              "FlashAttention's log-sum-exp does not have shape [heads, rows]");
  held = {out, lse};
  return {static_cast<const BFloat16*>(out.data_ptr()), lse.data_ptr<float>()};
}

inline FlashGradients gradients_of(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv,
                                   HeldTensors& held) {
  TORCH_CHECK(dq.is_contiguous() && dk.is_contiguous() && dv.is_contiguous(),
              "FlashAttention's gradients are not dense");
  held = {dq, dk, dv};
  const auto data = [](const at::Tensor& t) { return static_cast<const BFloat16*>(t.data_ptr()); };
  return {data(dq), data(dk), data(dv)};
}

}  // namespace cpbench
