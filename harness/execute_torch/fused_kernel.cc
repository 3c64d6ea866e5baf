// LibTorch's fused CPU attention behind the kernel interface.
//
// The library supports full and top-left causal masks. A bottom-right causal segment with more keys
// than queries is therefore computed as a full part and a causal square, which are merged by
// log-sum-exp; a band is computed in blocks of rows with a small additive mask. The library's
// backward pass takes the output O, but uses only the row sums of dO * O. dO * (row sum / |dO|^2)
// has the same row sums, so it is passed instead and O need not be sent.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/execute/head_blocks.h"
#include "harness/execute_torch/parts.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Rows of a band segment that share one mask tensor: enough to amortise a call, and few enough that
// most pairs are visible in a window of a few hundred tokens.
constexpr int64_t kBandRows = 128;

at::ScalarType scalar_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64:
      return at::kDouble;
    case Dtype::float32:
      return at::kFloat;
    case Dtype::bfloat16:
      return at::kBFloat16;
  }
  return at::kFloat;
}

// A tensor [1, heads, rows, width] in the matrix's memory.
at::Tensor view(const Matrix& m, int64_t row, int64_t rows, Heads heads) {
  const auto bytes = static_cast<int64_t>(bytes_of(m.dtype));
  std::byte* data = m.data + bytes * (row * m.row_stride + heads.begin * m.width);
  return at::from_blob(data, {1, heads.size(), rows, m.width},
                       {rows * m.row_stride, m.width, m.row_stride, 1},
                       at::TensorOptions().dtype(scalar_type(m.dtype)));
}

at::Tensor side_view(const Matrix& m, int64_t row, int64_t rows, Heads heads) {
  return view(m, row, rows, heads).squeeze(3);  // [1, heads, rows]
}

// A rectangle of a segment that one library call can compute.
struct Piece {
  int64_t q = 0, q_rows = 0;  // rows relative to the segment
  int64_t kv = 0, kv_rows = 0;
  bool causal = false;          // aligned top left, with q_rows == kv_rows
  int64_t first = 0, last = 0;  // band, relative to the piece
  bool band = false;
};

std::vector<Piece> pieces_of(const Segment& s) {
  std::vector<Piece> pieces;
  if (s.mask == SegmentMask::full) {
    pieces.push_back({.q_rows = s.q_rows, .kv_rows = s.kv_rows});
  } else if (s.mask == SegmentMask::causal) {
    const int64_t blind = std::max<int64_t>(0, s.q_rows - s.kv_rows);   // rows that see no key
    const int64_t before = std::max<int64_t>(0, s.kv_rows - s.q_rows);  // keys that all rows see
    const int64_t square = s.q_rows - blind;
    if (before > 0) pieces.push_back({.q_rows = s.q_rows, .kv_rows = before});
    pieces.push_back(
        {.q = blind, .q_rows = square, .kv = before, .kv_rows = square, .causal = true});
  } else {
    // Rows before and after these see no key; the library's result for them would be NaN.
    const int64_t seeing_end = std::min(s.q_rows, s.kv_rows - s.first);
    for (int64_t q = std::max<int64_t>(0, -s.last); q < seeing_end; q += kBandRows) {
      const int64_t end = std::min(seeing_end, q + kBandRows);
      const int64_t kv = std::clamp<int64_t>(q + s.first, 0, s.kv_rows);
      const int64_t kv_end = std::clamp<int64_t>(end + s.last, kv, s.kv_rows);
      pieces.push_back({.q = q,
                        .q_rows = end - q,
                        .kv = kv,
                        .kv_rows = kv_end - kv,
                        .first = s.first + q - kv,
                        .last = s.last + q - kv,
                        .band = true});
    }
  }
  std::erase_if(pieces, [](const Piece& p) { return p.q_rows <= 0 || p.kv_rows <= 0; });
  return pieces;
}

std::optional<at::Tensor> mask_of(const Piece& piece, at::ScalarType type) {
  if (!piece.band) return std::nullopt;
  const at::Tensor mask = at::full({piece.q_rows, piece.kv_rows},
                                   -std::numeric_limits<double>::infinity(), at::kDouble);
  auto* pairs = mask.data_ptr<double>();
  for (int64_t i = 0; i < piece.q_rows; ++i) {
    const int64_t begin = std::clamp<int64_t>(i + piece.first, 0, piece.kv_rows);
    const int64_t end = std::clamp<int64_t>(i + piece.last + 1, begin, piece.kv_rows);
    std::fill(pairs + i * piece.kv_rows + begin, pairs + i * piece.kv_rows + end, 0.0);
  }
  return mask.to(type);
}

// Merges another partial result into o and lse. The larger log-sum-exp is subtracted first, so that
// no exponential overflows. These are plain loops, because all ranks get here at the same moment
// and vector math libraries that initialise themselves on first use may not be thread-safe.
template <typename T>
void merge_rows(const at::Tensor& o, const at::Tensor& lse, const at::Tensor& other_o,
                const at::Tensor& other_lse) {
  auto sums = o.accessor<T, 4>();  // [1, heads, rows, width]
  auto logs = lse.accessor<T, 3>();
  const auto other_sums = other_o.accessor<T, 4>();
  const auto other_logs = other_lse.accessor<T, 3>();
  for (int64_t head = 0; head < o.size(1); ++head) {
    for (int64_t row = 0; row < o.size(2); ++row) {
      T& log = logs[0][head][row];
      const T other = other_logs[0][head][row];
      const double top = std::max<double>(log, other);
      if (std::isinf(top) && top < 0) continue;  // neither has seen a key
      const double a = std::exp(log - top);
      const double b = std::exp(other - top);
      const auto keep = static_cast<T>(a / (a + b));
      const auto take = static_cast<T>(b / (a + b));
      auto sum = sums[0][head][row];
      const auto addend = other_sums[0][head][row];
      for (int64_t d = 0; d < o.size(3); ++d) sum[d] = sum[d] * keep + addend[d] * take;
      log = static_cast<T>(top + std::log(a + b));
    }
  }
}

void merge(const at::Tensor& o, const at::Tensor& lse, const at::Tensor& other_o,
           const at::Tensor& other_lse) {
  const at::Tensor same = other_o.to(o.scalar_type());
  if (o.scalar_type() == at::kDouble) {
    merge_rows<double>(o, lse, same, other_lse);
  } else {
    merge_rows<float>(o, lse, same, other_lse);
  }
}

double scale_of(const AttentionShape& shape) { return 1 / std::sqrt(shape.head_dim); }

class FusedKernel : public Kernel {
 public:
  explicit FusedKernel(Cores cores) : cores_(cores) {}

  void check(const AttentionShape& shape) const override {
    if (shape.head_dim == shape.value_head_dim) return;
    throw UserError("kernel 'fused' requires value_head_dim = head_dim, not " +
                    std::to_string(shape.value_head_dim) + " and " +
                    std::to_string(shape.head_dim) + "; kernel 'reference' supports this");
  }

  void forward(const ForwardCall& c) const override {
    const c10::InferenceMode guard;
    use_cores(cores_);
    for (const HeadBlock& block : head_blocks(c.shape, c.heads)) {
      for (const Segment& s : c.segments) forward(c, s, block);
    }
  }

  void backward(const BackwardCall& c) const override {
    const c10::InferenceMode guard;
    use_cores(cores_);
    for (const HeadBlock& block : head_blocks(c.shape, c.heads)) {
      for (const Segment& s : c.segments) backward(c, s, block);
    }
  }

 private:
  static void forward(const ForwardCall& c, const Segment& s, const HeadBlock& block) {
    const std::vector<Piece> pieces = pieces_of(s);
    const at::Tensor target = view(c.o, s.out_row, s.q_rows, block.q);
    // Pieces are merged in the accumulation dtype, and rounded at the end.
    const bool rounds = pieces.size() > 1 && c.o.dtype != c.lse.dtype;
    const at::Tensor sums = rounds ? at::zeros(target.sizes(), scalar_type(c.lse.dtype)) : target;
    int64_t written = 0;  // rows [0, written) have a result
    for (const Piece& p : pieces) {
      const auto [o, lse] = at::_scaled_dot_product_flash_attention_for_cpu(
          view(c.q, s.q_row + p.q, p.q_rows, block.q),
          view(c.k, s.kv_row + p.kv, p.kv_rows, block.kv),
          view(c.v, s.kv_row + p.kv, p.kv_rows, block.kv), 0.0, p.causal,
          mask_of(p, scalar_type(c.q.dtype)), scale_of(c.shape));
      at::Tensor out = sums.narrow(2, p.q, p.q_rows);
      at::Tensor out_lse = side_view(c.lse, s.out_row + p.q, p.q_rows, block.q);
      if (p.q < written) {
        merge(out, out_lse, o, lse);
      } else {
        blank(c, s, written, p.q, block);
        out.copy_(o);
        out_lse.copy_(lse);
      }
      written = std::max(written, p.q + p.q_rows);
    }
    if (rounds) target.copy_(sums);
    blank(c, s, written, s.q_rows, block);
  }

  static void blank(const ForwardCall& c, const Segment& s, int64_t begin, int64_t end,
                    const HeadBlock& block) {
    if (begin >= end) return;
    view(c.o, s.out_row + begin, end - begin, block.q).zero_();
    side_view(c.lse, s.out_row + begin, end - begin, block.q)
        .fill_(-std::numeric_limits<double>::infinity());
  }

  static void backward(const BackwardCall& c, const Segment& s, const HeadBlock& block) {
    for (const Piece& p : pieces_of(s)) {
      const at::Tensor d_o = view(c.d_o, s.q_row + p.q, p.q_rows, block.q);
      const at::Tensor lse = side_view(c.lse, s.q_row + p.q, p.q_rows, block.q);
      const at::Tensor row_sums = side_view(c.row_sums, s.q_row + p.q, p.q_rows, block.q);
      const at::Tensor wide = d_o.to(scalar_type(c.lse.dtype));
      const at::Tensor norms = (wide * wide).sum(3);
      const at::Tensor factor = at::where(norms > 0, row_sums / norms, at::zeros_like(norms));
      const at::Tensor o = (wide * factor.unsqueeze(3)).to(d_o.scalar_type());
      const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
          d_o, view(c.q, s.q_row + p.q, p.q_rows, block.q),
          view(c.k, s.kv_row + p.kv, p.kv_rows, block.kv),
          view(c.v, s.kv_row + p.kv, p.kv_rows, block.kv), o, lse, 0.0, p.causal,
          mask_of(p, scalar_type(c.q.dtype)), scale_of(c.shape));
      view(c.dq, s.out_row + p.q, p.q_rows, block.q).add_(dq);
      view(c.dk, s.dkv_row + p.kv, p.kv_rows, block.kv).add_(dk);
      view(c.dv, s.dkv_row + p.kv, p.kv_rows, block.kv).add_(dv);
    }
  }

  Cores cores_;
};

}  // namespace

std::unique_ptr<Kernel> make_fused_kernel(Cores cores) {
  return std::make_unique<FusedKernel>(cores);
}

}  // namespace cpbench
