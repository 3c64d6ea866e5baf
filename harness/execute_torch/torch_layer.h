// The layer around the attention (layer.h) as LibTorch's tensors, for the reference: written from
// its formulas, independently of the operations that executors run.
#pragma once

#include <ATen/core/Tensor.h>

#include "harness/execute/layer.h"
#include "harness/execute/reference.h"

namespace cpbench {

class TorchLayer {
 public:
  // Inputs of `seed` are rounded to the shape's dtype, and then have the device and dtype of
  // `options`.
  TorchLayer(const AttentionShape& shape, int64_t tokens, uint64_t seed, at::TensorOptions options);

  // All of the following are [heads, tokens, width].
  struct Operands {
    at::Tensor q, k, v;
  };
  Operands operands() const;
  void set_output(const at::Tensor& o);
  at::Tensor output_gradient();  // dO; after set_output
  void set_gradients(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv);

  // Adds the layer's results to those of the attention; the gradients after set_gradients.
  void add_to(Reference& reference) const;

 private:
  at::Tensor input(LayerInput which, int64_t rows, int64_t columns) const;
  // Its effective elements: those of `input`, scaled.
  at::Tensor weight(LayerInput which, int64_t rows, int64_t columns) const;
  at::Tensor of_heads(const at::Tensor& rows, int64_t heads) const;
  void add_weight_gradient(const at::Tensor& in, const at::Tensor& d_out);

  const AttentionShape& shape_;
  int64_t tokens_;
  uint64_t seed_;
  at::TensorOptions options_;
  at::Tensor x_, o_, y_, gate_, up_, out_, dx_;
  std::vector<std::vector<double>> checks_;  // of weight gradients, as they come
};

}  // namespace cpbench
