// The operations of a layer (harness/execute/layer.h) on a CPU.
#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "harness/execute/element.h"
#include "harness/execute/gate_elements.h"
#include "harness/execute_torch/parts.h"

namespace cpbench {
namespace {

at::Tensor tensor_of(const Dense& m) {
  constexpr std::array kTypes = {at::kDouble, at::kFloat, at::kBFloat16};  // in the order of Dtype
  return at::from_blob(m.data, {m.rows, m.columns}, kTypes[static_cast<size_t>(m.dtype)]);
}

void multiply(const LayerOp& op) {
  const at::Tensor a = tensor_of(op.a), b = tensor_of(op.b);
  tensor_of(op.c).addmm_(op.transpose_a ? a.t() : a, op.transpose_b ? b.t() : b, op.adds ? 1 : 0,
                         op.scale);
}

template <typename T>
void gate(const LayerOp& op) {
  using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
  T* a = op.a.matrix().at<T>(0, 0);
  T* b = op.b.matrix().at<T>(0, 0);
  T* c = op.c.matrix().at<T>(0, 0);
  for (int64_t i = 0; i < op.c.size(); ++i) {
    if (op.kind == LayerOpKind::gate) {
      c[i] = gated<T, Sum>(a[i], b[i]);
    } else {
      replace_by_gradients<T, Sum>(a[i], b[i], c[i]);
    }
  }
}

}  // namespace

void run_layer_ops(const std::vector<LayerOp>& ops, Cores cores) {
  const c10::InferenceMode guard;
  use_cores(cores);
  for (const LayerOp& op : ops) {
    if (op.c.size() == 0) continue;
    if (op.kind == LayerOpKind::product) {
      multiply(op);
    } else if (op.kind == LayerOpKind::convert) {
      tensor_of(op.c).copy_(tensor_of(op.a));
    } else {
      with_element(op.c.dtype, [&](auto zero) { gate<decltype(zero)>(op); });
    }
  }
}

}  // namespace cpbench
