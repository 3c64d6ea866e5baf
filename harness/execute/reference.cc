// Inputs are rounded to the model's dtype first, so that all runs see the same numbers.
#include "harness/execute/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <mutex>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/element.h"
#include "harness/execute/inputs.h"

namespace cpbench {
namespace {

// Enough for the packs of one run in several dtypes, little enough for 64K-token packs.
constexpr size_t kRemembered = 4;

// One segment per document (whose keys start at token 0 if the pack is one causal whole): its new
// queries, which are its last ones, aligned bottom right.
std::vector<Segment> whole_documents(const Batch& batch) {
  std::vector<Segment> segments;
  int64_t begin = 0;
  for (size_t d = 0; d < batch.document_lengths.size(); ++d) {
    const int64_t end = begin + batch.document_lengths[d];
    const int64_t cached = batch.cached_tokens.empty() ? 0 : batch.cached_tokens[d];
    const auto first_query = static_cast<int32_t>(begin + cached);
    const auto first_key = static_cast<int32_t>(batch.mask == Mask::causal ? 0 : begin);
    Segment s{.q_row = first_query,
              .q_rows = static_cast<int32_t>(end) - first_query,
              .kv_row = first_key,
              .kv_rows = static_cast<int32_t>(end) - first_key,
              .out_row = first_query,
              .dkv_row = first_key,
              .mask = SegmentMask::causal};
    if (batch.mask == Mask::document_full) s.mask = SegmentMask::full;
    if (batch.mask == Mask::sliding_window && batch.window < end - begin) {
      s.mask = SegmentMask::band;
      s.last = static_cast<int32_t>(cached);
      s.first = static_cast<int32_t>(cached + 1 - batch.window);
    }
    if (s.q_rows > 0) segments.push_back(s);
    begin = end;
  }
  return segments;
}

// One tensor of all tokens and heads.
struct Whole {
  Whole(Tensor tensor, const AttentionShape& shape, int64_t tokens, ElementClass elements)
      : layout{.tensor = tensor, .elements = elements, .heads = {}, .rows = tokens} {
    const bool kv = tensor == Tensor::kv || tensor == Tensor::dkv;
    layout.heads = {0, kv ? shape.kv_heads : shape.query_heads};
    layout.bytes = parts_of(layout, shape).bytes;
    arena = std::make_unique<Arena>(layout.bytes);
    bound = bound_at(layout, shape, arena->data());
  }
  Matrix part(int32_t index) const { return matrix_of(bound, index, layout.heads); }

  Buffer layout;
  std::unique_ptr<Arena> arena;
  BoundBuffer bound;
};

void fill(const Whole& whole, int32_t part, Input input, Dtype rounded, uint64_t seed) {
  const Matrix target = whole.part(part);
  const Range tokens{0, whole.layout.rows};
  if (target.dtype == rounded) return fill_input(target, input, tokens, 0, seed);
  std::vector<std::byte> row(bytes_of(rounded) * target.heads * target.width);
  const Matrix one{row.data(), rounded, target.heads, target.width, target.heads * target.width};
  with_element(rounded, [&](auto from) {
    with_element(target.dtype, [&](auto to) {
      for (int64_t token = 0; token < tokens.end; ++token) {
        fill_input(one, input, {token, token + 1}, 0, seed);
        const auto* source = one.at<decltype(from)>(0, 0);
        std::transform(source, source + target.heads * target.width,
                       target.at<decltype(to)>(token, 0),
                       [](auto value) { return static_cast<decltype(to)>(value); });
      }
    });
  });
}

std::vector<double> values_of(const Matrix& matrix, int64_t rows) {
  std::vector<double> values(rows * matrix.heads * matrix.width);
  with_element(matrix.dtype, [&](auto zero) {
    const auto* source = matrix.at<decltype(zero)>(0, 0);
    std::copy(source, source + values.size(), values.begin());
  });
  return values;
}

// Attention in `shape.dtype` on inputs rounded to `rounded`.
Reference run(const Batch& batch, const AttentionShape& shape, Dtype rounded, uint64_t seed,
              Passes passes, const Kernel& kernel) {
  const int64_t tokens = batch.tokens();
  const Heads heads{0, shape.query_heads};
  const std::vector<Segment> segments = reference_segments(batch);
  const Whole q(Tensor::q, shape, tokens, ElementClass::model);
  const Whole kv(Tensor::kv, shape, tokens, ElementClass::model);
  const Whole o(Tensor::o, shape, tokens, ElementClass::accumulation);
  fill(q, 0, Input::q, rounded, seed);
  fill(kv, 0, Input::k, rounded, seed);
  fill(kv, 1, Input::v, rounded, seed);
  std::memset(o.arena->data(), 0, o.layout.bytes);  // cached queries: no row is written
  kernel.forward({shape, heads, segments, q.part(0), kv.part(0), kv.part(1), o.part(1), o.part(0)});
  Reference result;
  result.query_heads = shape.query_heads;
  result.kv_heads = shape.kv_heads;
  result.o = values_of(o.part(1), tokens);
  if (passes == Passes::forward) return result;
  const Whole d_o(Tensor::d_o, shape, tokens, ElementClass::model);
  const Whole dq(Tensor::dq, shape, tokens, ElementClass::accumulation);
  const Whole dkv(Tensor::dkv, shape, tokens, ElementClass::accumulation);
  fill(d_o, 2, Input::d_o, rounded, seed);
  run_row_sums(o.bound, d_o.bound, tokens);
  std::memset(dq.arena->data(), 0, dq.layout.bytes);
  std::memset(dkv.arena->data(), 0, dkv.layout.bytes);
  kernel.backward({shape, heads, segments, q.part(0), kv.part(0), kv.part(1), d_o.part(2),
                   d_o.part(0), d_o.part(1), dq.part(0), dkv.part(0), dkv.part(1)});
  result.dq = values_of(dq.part(0), tokens);
  result.dk = values_of(dkv.part(0), tokens);
  result.dv = values_of(dkv.part(1), tokens);
  return result;
}

double largest(const std::vector<double>& values) {
  double top = 0;
  for (double value : values) top = std::max(top, std::abs(value));
  return top;
}

double deviation(const std::vector<double>& a, const std::vector<double>& b) {
  double top = 0;
  for (size_t i = 0; i < a.size(); ++i) top = std::max(top, std::abs(a[i] - b[i]));
  return top;
}

struct Remembered {
  Batch batch;
  AttentionShape shape;
  uint64_t seed;
  Passes passes;
  std::shared_ptr<const Reference> reference;
};

}  // namespace

// One causal whole has no reason to be cut where nothing is cached.
std::vector<Segment> reference_segments(const Batch& batch) {
  if (batch.mask != Mask::causal || !batch.cached_tokens.empty()) return whole_documents(batch);
  return whole_documents({.document_lengths = {batch.tokens()}});
}

void note_largest(Reference& reference) {
  reference.largest_output = largest(reference.o);
  reference.largest_gradient =
      std::max({largest(reference.dq), largest(reference.dk), largest(reference.dv)});
}

Reference compute_reference(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                            Passes passes, const Kernel& kernel) {
  AttentionShape exact = shape;
  exact.dtype = Dtype::float64;
  Reference reference = run(batch, exact, shape.dtype, seed, passes, kernel);
  note_largest(reference);
  if (shape.dtype == Dtype::float64) return reference;
  const Reference plain = run(batch, shape, shape.dtype, seed, passes, kernel);
  reference.plain_error_output = deviation(plain.o, reference.o);
  reference.plain_error_gradient =
      std::max({deviation(plain.dq, reference.dq), deviation(plain.dk, reference.dk),
                deviation(plain.dv, reference.dv)});
  return reference;
}

std::shared_ptr<const Reference> reference_for(const Batch& batch, const AttentionShape& shape,
                                               uint64_t seed, Passes passes) {
  static std::mutex mutex;
  static std::list<Remembered> remembered;  // the latest first
  const std::lock_guard lock(mutex);
  for (auto it = remembered.begin(); it != remembered.end(); ++it) {
    const bool enough = it->passes == Passes::both || passes == Passes::forward;
    if (it->batch == batch && it->shape == shape && it->seed == seed && enough) {
      remembered.splice(remembered.begin(), remembered, it);
      return it->reference;
    }
  }
  const bool fused = shape.head_dim == shape.value_head_dim;  // the fused kernel needs that
  const auto kernel = fused ? make_fused_kernel() : make_reference_kernel();
  auto reference =
      std::make_shared<const Reference>(compute_reference(batch, shape, seed, passes, *kernel));
  remembered.push_front({batch, shape, seed, passes, reference});
  if (remembered.size() > kRemembered) remembered.pop_back();
  return reference;
}

Accuracy tolerances(const Reference& reference, Dtype dtype) {
  Accuracy accuracy;
  accuracy.plain_error_output = reference.plain_error_output;
  accuracy.plain_error_gradient = reference.plain_error_gradient;
  if (dtype == Dtype::float64) {
    accuracy.tolerance_output = accuracy.tolerance_gradient = 1e-10;
    return accuracy;
  }
  const double unit = dtype == Dtype::float32 ? 0x1p-23 : 0x1p-8;
  accuracy.tolerance_output =
      std::max(3 * reference.plain_error_output, 2 * unit * reference.largest_output);
  accuracy.tolerance_gradient =
      std::max(3 * reference.plain_error_gradient, 2 * unit * reference.largest_gradient);
  return accuracy;
}

double worst_error(double error, const Matrix& matrix, int64_t row, Range tokens, int64_t heads,
                   const std::vector<double>& reference) {
  const int64_t count = heads * matrix.width;
  with_element(matrix.dtype, [&](auto zero) {
    for (int64_t token = tokens.begin; token < tokens.end; ++token, ++row) {
      const auto* found = matrix.at<decltype(zero)>(row, 0);
      const double* expected = reference.data() + token * count;
      for (int64_t i = 0; i < count; ++i) {
        const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
        if (!(difference <= error)) error = difference;  // a NaN stays
        if (std::isnan(error)) return;
      }
    }
  });
  return error;
}

}  // namespace cpbench
