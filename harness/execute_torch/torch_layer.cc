#include "harness/execute_torch/torch_layer.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cmath>

namespace cpbench {
namespace {

at::ScalarType type_of(Dtype dtype) {
  if (dtype == Dtype::float64) return at::kDouble;
  return dtype == Dtype::float32 ? at::kFloat : at::kBFloat16;
}

at::Tensor rows_of(const at::Tensor& heads) {  // [heads, tokens, width] to [tokens, heads x width]
  return heads.transpose(0, 1).flatten(1);
}

std::vector<double> values_of(const at::Tensor& t) {
  const at::Tensor host = t.to(at::kCPU, at::kDouble).contiguous();
  const double* data = host.const_data_ptr<double>();
  return {data, data + host.numel()};
}

}  // namespace

TorchLayer::TorchLayer(const AttentionShape& shape, int64_t tokens, uint64_t seed,
                       at::TensorOptions options)
    : shape_(shape),
      tokens_(tokens),
      seed_(seed),
      options_(options),
      x_(input(LayerInput::x, tokens, shape.hidden_size)) {}

at::Tensor TorchLayer::input(LayerInput which, int64_t rows, int64_t columns) const {
  const at::Tensor host =
      at::empty({rows, columns}, at::device(at::kCPU).dtype(type_of(shape_.dtype)));
  const Dense dense{static_cast<std::byte*>(host.data_ptr()), shape_.dtype, rows, columns};
  fill_input(dense.matrix(), Input::q, {0, rows}, 0, layer_input_seed(which, seed_));
  return host.to(options_);
}

at::Tensor TorchLayer::weight(LayerInput which, int64_t rows, int64_t columns) const {
  return input(which, rows, columns) / std::sqrt(static_cast<double>(rows));
}

at::Tensor TorchLayer::of_heads(const at::Tensor& rows, int64_t heads) const {
  return rows.view({tokens_, heads, -1}).transpose(0, 1).contiguous();
}

TorchLayer::Operands TorchLayer::operands() const {
  const int64_t hidden = shape_.hidden_size, q = shape_.query_heads, kv = shape_.kv_heads;
  const auto projected = [&](LayerInput which, int64_t heads, int64_t width) {
    return of_heads(x_.mm(weight(which, hidden, heads * width)), heads);
  };
  return {projected(LayerInput::wq, q, shape_.head_dim),
          projected(LayerInput::wk, kv, shape_.head_dim),
          projected(LayerInput::wv, kv, shape_.value_head_dim)};
}

void TorchLayer::set_output(const at::Tensor& o) {
  const int64_t hidden = shape_.hidden_size, ffn = shape_.ffn_size;
  o_ = rows_of(o);
  y_ = out_ = o_.mm(weight(LayerInput::wo, o_.size(1), hidden));
  if (ffn == 0) return;
  gate_ = y_.mm(weight(LayerInput::gate, hidden, ffn));
  up_ = y_.mm(weight(LayerInput::up, hidden, ffn));
  out_ = (gate_ * gate_.sigmoid() * up_).mm(weight(LayerInput::down, ffn, hidden));
}

// d silu(x) / dx = sigmoid(x) (1 + x (1 - sigmoid(x))).
at::Tensor TorchLayer::output_gradient() {
  const int64_t hidden = shape_.hidden_size, ffn = shape_.ffn_size;
  at::Tensor d_y = input(LayerInput::d_out, tokens_, hidden);
  std::vector<std::vector<double>> of_ffn;
  if (ffn > 0) {
    const at::Tensor sigmoid = gate_.sigmoid(), silu = gate_ * sigmoid;
    const at::Tensor d_a = d_y.mm(weight(LayerInput::down, ffn, hidden).t());
    const at::Tensor d_gate = d_a * up_ * sigmoid * (1 + gate_ * (1 - sigmoid));
    const at::Tensor d_up = d_a * silu;
    add_weight_gradient(y_, d_gate);
    add_weight_gradient(y_, d_up);
    add_weight_gradient(silu * up_, d_y);
    d_y = d_gate.mm(weight(LayerInput::gate, hidden, ffn).t()) +
          d_up.mm(weight(LayerInput::up, hidden, ffn).t());
    gate_ = up_ = at::Tensor();
  }
  of_ffn = std::exchange(checks_, {});
  add_weight_gradient(o_, d_y);
  checks_.insert(checks_.end(), of_ffn.begin(), of_ffn.end());
  return of_heads(d_y.mm(weight(LayerInput::wo, o_.size(1), hidden).t()), shape_.query_heads);
}

void TorchLayer::set_gradients(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv) {
  const std::vector<std::vector<double>> after = std::exchange(checks_, {});
  dx_ = at::zeros_like(x_);
  for (const auto& [which, gradient] :
       {std::pair(LayerInput::wq, rows_of(dq)), std::pair(LayerInput::wk, rows_of(dk)),
        std::pair(LayerInput::wv, rows_of(dv))}) {
    add_weight_gradient(x_, gradient);
    dx_ += gradient.mm(weight(which, shape_.hidden_size, gradient.size(1)).t());
  }
  checks_.insert(checks_.end(), after.begin(), after.end());
}

// The gradient of the elements before they are scaled.
void TorchLayer::add_weight_gradient(const at::Tensor& in, const at::Tensor& d_out) {
  const std::vector<double> numbers = check_vector(d_out.size(1));
  const at::Tensor check = at::tensor(numbers, options_);
  const double scale = 1 / std::sqrt(static_cast<double>(in.size(1)));
  checks_.push_back(values_of(in.t().mv(d_out.mv(check)) * scale));
}

void TorchLayer::add_to(Reference& reference) const {
  reference.layer_out = values_of(out_);
  if (!dx_.defined()) return;
  reference.layer_dx = values_of(dx_);
  for (const std::vector<double>& checks : checks_) {
    reference.weight_checks.insert(reference.weight_checks.end(), checks.begin(), checks.end());
  }
}

}  // namespace cpbench
