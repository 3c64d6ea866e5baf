#include "harness/execute/layer.h"

#include <cmath>
#include <tuple>

#include "harness/execute/element.h"

namespace cpbench {

Dense dense_part(const Buffer& buffer, const AttentionShape& shape, int32_t part, std::byte* data) {
  const Part p = parts_of(buffer, shape).part[part];
  return {data == nullptr ? nullptr : data + p.offset, p.dtype, buffer.rows,
          buffer.heads.size() * p.width};
}

LayerHome layer_home(const RankProgram& program, const AttentionShape& shape,
                     const std::vector<BoundBuffer>* buffers) {
  const auto part = [&](int32_t index, int32_t number) {
    if (index < 0) return Dense();
    return dense_part(program.buffers[index], shape, number,
                      buffers == nullptr ? nullptr : (*buffers)[index].data);
  };
  return {.q = part(program.q, 0),
          .k = part(program.kv, 0),
          .v = part(program.kv, 1),
          .o = part(program.o, 1),
          .d_o = part(program.d_o, 2),
          .dq = part(program.dq, 0),
          .dk = part(program.dkv, 0),
          .dv = part(program.dkv, 1)};
}

int64_t layer_bytes(const RankProgram& program, const AttentionShape& shape) {
  if (shape.hidden_size == 0) return 0;
  return BoundLayer(shape, layer_home(program, shape), nullptr).bytes();
}

int64_t planned_layer_bytes(const AttentionShape& shape, int64_t home_tokens, Passes passes) {
  if (shape.hidden_size == 0) return 0;
  const auto home = [&](int32_t heads, int32_t width, Dtype dtype) {
    return Dense{nullptr, dtype, home_tokens, int64_t{heads} * width};
  };
  const auto [query_heads, kv_heads, width, value_width] =
      std::tuple(shape.query_heads, shape.kv_heads, shape.head_dim, shape.value_head_dim);
  const Dtype model = shape.dtype, sums = accumulation_dtype(model);
  LayerHome at{.q = home(query_heads, width, model),
               .k = home(kv_heads, width, model),
               .v = home(kv_heads, value_width, model),
               .o = home(query_heads, value_width, sums)};
  if (passes == Passes::both) {
    at.d_o = home(query_heads, value_width, model);
    at.dq = home(query_heads, width, sums);
    at.dk = home(kv_heads, width, sums);
    at.dv = home(kv_heads, value_width, sums);
  }
  return BoundLayer(shape, at, nullptr).bytes();
}

Dense BoundLayer::make(int64_t rows, int64_t columns) {
  Dense made{memory_ == nullptr ? nullptr : memory_ + bytes_, dtype_, rows, columns};
  bytes_ += (made.bytes() + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  return made;
}

Dense BoundLayer::make_input(LayerInput input, int64_t rows, int64_t columns) {
  return inputs_.emplace_back(input, make(rows, columns)).second;
}

BoundLayer::Weight BoundLayer::make_weight(LayerInput input, int64_t rows, int64_t columns) {
  Weight weight{.value = make_input(input, rows, columns),
                .scale = 1 / std::sqrt(static_cast<double>(rows))};
  if (backward_) {
    weight.gradient = outputs_.weight_gradients.emplace_back(make(rows, columns));
  }
  return weight;
}

Dense BoundLayer::in_model_dtype(const Dense& from, std::vector<LayerOp>& ops) {
  if (from.dtype == dtype_) return from;
  const Dense to = make(from.rows, from.columns);
  ops.push_back({.kind = LayerOpKind::convert, .a = from, .c = to});
  return to;
}

void BoundLayer::forward(std::vector<LayerOp>& ops, const Dense& in, const Weight& w,
                         const Dense& out) {
  ops.push_back({.a = in, .b = w.value, .c = out, .scale = w.scale});
}

void BoundLayer::backward(std::vector<LayerOp>& ops, const Dense& d_out, const Dense& in,
                          const Weight& w, const Dense& d_in, bool adds) {
  ops.push_back(
      {.a = d_out, .b = w.value, .c = d_in, .transpose_b = true, .adds = adds, .scale = w.scale});
  ops.push_back({.a = in, .b = d_out, .c = w.gradient, .transpose_a = true, .scale = w.scale});
}

BoundLayer::BoundLayer(const AttentionShape& shape, const LayerHome& home, std::byte* memory)
    : dtype_(shape.dtype), backward_(home.dq.columns > 0), memory_(memory) {
  const int64_t rows = home.q.rows, hidden = shape.hidden_size, ffn = shape.ffn_size;
  const Dense x = make_input(LayerInput::x, rows, hidden);
  const Weight wq = make_weight(LayerInput::wq, hidden, home.q.columns);
  const Weight wk = make_weight(LayerInput::wk, hidden, home.k.columns);
  const Weight wv = make_weight(LayerInput::wv, hidden, home.v.columns);
  forward(before_[0], x, wq, home.q);
  forward(before_[0], x, wk, home.k);
  forward(before_[0], x, wv, home.v);

  const Weight wo = make_weight(LayerInput::wo, home.o.columns, hidden);
  const Dense o = in_model_dtype(home.o, after_[0]), y = make(rows, hidden);
  forward(after_[0], o, wo, y);
  outputs_.out = y;
  Dense d_y = backward_ ? make_input(LayerInput::d_out, rows, hidden) : Dense();
  if (ffn > 0) {
    const Weight gate = make_weight(LayerInput::gate, hidden, ffn);
    const Weight up = make_weight(LayerInput::up, hidden, ffn);
    const Weight down = make_weight(LayerInput::down, ffn, hidden);
    const Dense g = make(rows, ffn), u = make(rows, ffn), a = make(rows, ffn);
    forward(after_[0], y, gate, g);
    forward(after_[0], y, up, u);
    after_[0].push_back({.kind = LayerOpKind::gate, .a = g, .b = u, .c = a});
    outputs_.out = make(rows, hidden);
    forward(after_[0], a, down, outputs_.out);
    if (backward_) {
      const Dense d_out = d_y, d_a = make(rows, ffn);
      d_y = make(rows, hidden);
      backward(before_[1], d_out, a, down, d_a);
      before_[1].push_back({.kind = LayerOpKind::gate_gradients, .a = g, .b = u, .c = d_a});
      backward(before_[1], g, y, gate, d_y);
      backward(before_[1], u, y, up, d_y, true);
    }
  }
  if (!backward_) return;
  backward(before_[1], d_y, o, wo, home.d_o);
  outputs_.dx = make(rows, hidden);
  backward(after_[1], in_model_dtype(home.dq, after_[1]), x, wq, outputs_.dx);
  backward(after_[1], in_model_dtype(home.dk, after_[1]), x, wk, outputs_.dx, true);
  backward(after_[1], in_model_dtype(home.dv, after_[1]), x, wv, outputs_.dx, true);
}

std::vector<double> check_vector(int64_t columns) {
  const double scale = 1 / std::sqrt(static_cast<double>(columns));
  std::vector<double> numbers(columns);
  for (int64_t i = 0; i < columns; ++i) numbers[i] = scale * input_value(mixed(0), i);
  return numbers;
}

std::vector<double> weight_checks(const LayerOutputs& outputs) {
  std::vector<double> checks;
  for (const Dense& weight : outputs.weight_gradients) {
    const std::vector<double> numbers = check_vector(weight.columns);
    with_element(weight.dtype, [&](auto zero) {
      using T = decltype(zero);
      for (int64_t row = 0; row < weight.rows; ++row) {
        const T* values = weight.matrix().at<T>(row, 0);
        double sum = 0;
        for (int64_t i = 0; i < weight.columns; ++i) {
          sum += static_cast<double>(values[i]) * numbers[i];
        }
        checks.push_back(sum);
      }
    });
  }
  return checks;
}

}  // namespace cpbench
