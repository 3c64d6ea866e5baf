// The layer around the attention, which a run computes if its shape has one (`hidden_size`): each
// rank computes the projections of Q, K, V and O and a gated FFN for its own home tokens.
//
//   forward         Q = X Wq, K = X Wk, V = X Wv; attention; Y = O Wo
//   with an FFN     G = Y Wg, U = Y Wu, A = silu(G) * U, and the output is A Wd instead of Y
//   backward        the same in reverse, from the gradient of the output to those of X and of all
//                   weights, which are sums over the rank's tokens
//
// All matrix products of a transformer layer are there, as in layer_flops_per_token. What reads and
// writes memory only, and costs the same with every strategy, is left out: normalisation, rotary
// embedding, residual sums. So is the sum of the gradients of weights over ranks, which training
// does once for many layers.
//
//   BoundLayer layer(shape, home, nullptr);              // layer.bytes() of memory are needed
//   layer = BoundLayer(shape, home, memory);
//   for (const LayerOp& op : layer.before(0)) ...        // then the forward pass of the program
//   for (const LayerOp& op : layer.after(0)) ...
//
// Weights have elements of unit variance, like all inputs; a product with one is scaled by
// 1 / sqrt(rows), so that values stay near 1.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/execute/inputs.h"
#include "harness/execute/kernel.h"
#include "harness/execute/row_ops.h"
#include "harness/plan/check.h"

namespace cpbench {

inline AttentionShape without_layer(AttentionShape shape) {
  shape.hidden_size = shape.ffn_size = 0;
  return shape;
}

// A matrix whose rows lie one after another.
struct Dense {
  std::byte* data = nullptr;
  Dtype dtype = Dtype::float32;
  int64_t rows = 0, columns = 0;

  int64_t size() const { return rows * columns; }
  int64_t bytes() const { return size() * bytes_of(dtype); }
  Matrix matrix() const { return {data, dtype, 1, columns, columns}; }
};

enum class LayerOpKind : uint8_t {
  product,         // c = scale * a b, or added to c
  convert,         // c = a, in another dtype
  gate,            // c = silu(a) * b; silu(x) = x / (1 + exp(-x))
  gate_gradients,  // from the gradient c of a gate: replaces a and b by their gradients
};
struct LayerOp {
  LayerOpKind kind = LayerOpKind::product;
  Dense a{}, b{}, c{};
  bool transpose_a = false, transpose_b = false;  // of products
  bool adds = false;
  double scale = 1;
};

enum class LayerInput : uint8_t { x, d_out, wq, wk, wv, wo, gate, up, down };
constexpr uint64_t layer_input_seed(LayerInput input, uint64_t seed) {
  return mixed(mixed(seed) + static_cast<uint64_t>(input));
}

// The main data of the home buffers; no `columns` where there is no backward pass.
struct LayerHome {
  Dense q{}, k{}, v{}, o{}, d_o{}, dq{}, dk{}, dv{};
};
// One part of a buffer with all its heads; `data` may be null.
Dense dense_part(const Buffer& buffer, const AttentionShape& shape, int32_t part, std::byte* data);
// Without addresses, or at those of the bound buffers.
LayerHome layer_home(const RankProgram& program, const AttentionShape& shape,
                     const std::vector<BoundBuffer>* buffers = nullptr);

// The memory of a rank's layer in bytes: its weights, their gradients, and what it keeps for the
// backward pass. 0 if the shape has none.
int64_t layer_bytes(const RankProgram& program, const AttentionShape& shape);
// The same without a program, of a rank whose O is a sum of partial results. Like the checker of
// plans it takes every home token for one that has a query.
int64_t planned_layer_bytes(const AttentionShape& shape, int64_t home_tokens, Passes passes);

// What a layer has computed.
struct LayerOutputs {
  Dense out, dx;                        // rows are home tokens; dx has no columns after forward
  std::vector<Dense> weight_gradients;  // empty after forward
};

class BoundLayer {
 public:
  // `memory` may be null, if only `bytes` is asked for.
  BoundLayer(const AttentionShape& shape, const LayerHome& home, std::byte* memory);

  int64_t bytes() const { return bytes_; }
  // What runs before and after the attention of a pass.
  const std::vector<LayerOp>& before(int32_t pass) const { return before_[pass]; }
  const std::vector<LayerOp>& after(int32_t pass) const { return after_[pass]; }
  const LayerOutputs& outputs() const { return outputs_; }

  // Calls fill(matrix, rows, first row, seed) for all inputs: row i of `rows` is a token, or a row
  // of a weight. `home` are the tokens of the rows of X.
  template <typename Fill>
  void fill_inputs(RangeSpan home, uint64_t seed, const Fill& fill) const {
    for (const auto& [input, matrix] : inputs_) {
      const uint64_t own = layer_input_seed(input, seed);
      if (input != LayerInput::x && input != LayerInput::d_out) {
        fill(matrix.matrix(), Range{0, matrix.rows}, int64_t{0}, own);
        continue;
      }
      int64_t row = 0;
      for (const Range& tokens : home) {
        fill(matrix.matrix(), tokens, row, own);
        row += tokens.size();
      }
    }
  }

 private:
  struct Weight {
    Dense value{}, gradient{};
    double scale = 1;
  };
  Dense make(int64_t rows, int64_t columns);
  Dense make_input(LayerInput input, int64_t rows, int64_t columns);
  Weight make_weight(LayerInput input, int64_t rows, int64_t columns);
  Dense in_model_dtype(const Dense& from, std::vector<LayerOp>& ops);
  // out (+)= in w, and the gradients of both from that of out.
  static void forward(std::vector<LayerOp>& ops, const Dense& in, const Weight& w,
                      const Dense& out);
  static void backward(std::vector<LayerOp>& ops, const Dense& d_out, const Dense& in,
                       const Weight& w, const Dense& d_in, bool adds = false);

  Dtype dtype_;
  bool backward_;
  std::byte* memory_;
  int64_t bytes_ = 0;
  std::array<std::vector<LayerOp>, 2> before_, after_;  // by pass
  std::vector<std::pair<LayerInput, Dense>> inputs_;
  LayerOutputs outputs_;
};

// Sums over the columns of the gradients of weights, each times a fixed number: one value per row
// of each weight. Those of all ranks together must be those of one device. The gradients themselves
// have gigabytes.
std::vector<double> weight_checks(const LayerOutputs& outputs);

// The numbers of `weight_checks` for a weight of so many columns.
std::vector<double> check_vector(int64_t columns);

}  // namespace cpbench
