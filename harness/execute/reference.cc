// Inputs are rounded to the model's dtype first, so that all runs compute with the same numbers.
#include "harness/execute/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <mutex>

#include "harness/execute/call_tensors.h"
#include "harness/execute/element.h"

namespace cpbench {
namespace {

// Enough for the packs of one run in several dtypes, and few enough for the memory that packs of
// 64K tokens take.
constexpr size_t kCacheEntries = 4;

// The largest error that is allowed, as a share of the largest value, whatever the plain run does:
// a kernel that returns zeros would otherwise set its own tolerance. The plain runs of the fused
// kernel (documents of 1 to 2,048 tokens, head dimensions 8 and 128, causal and full) are far
// below. bfloat16: each rounding of P, dS, dO or O changes a result by up to one unit, 2^-8, of
// what it is a sum of; the plain runs are within 2.3 units, and this is 32. float32: the errors of
// n additions grow like sqrt(n) x 2^-24, which is half of this for 2^26 tokens; the plain runs are
// within 9 x 2^-23.
double most_error(Dtype dtype) { return dtype == Dtype::bfloat16 ? 0x1p-3 : 0x1p-10; }

// One segment per document: its new queries, which are its last tokens, aligned bottom right. If
// the mask is causal over the whole pack, the keys start at token 0.
std::vector<Segment> document_segments(const Batch& batch) {
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

void fill(const HostBuffer& buffer, int32_t part, Input input, Dtype rounded, uint64_t seed) {
  const Matrix target = buffer.part(part);
  const Range tokens{0, buffer.layout.rows};
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

// Computes attention in `shape.dtype` on inputs that are rounded to `rounded`.
Reference run(const Batch& batch, const AttentionShape& shape, Dtype rounded, uint64_t seed,
              Passes passes, const Kernel& kernel) {
  const int64_t tokens = batch.tokens();
  const std::vector<Segment> segments = reference_segments(batch);
  const auto fill_rounded = [&](const HostBuffer& buffer, int32_t part, Input input) {
    fill(buffer, part, input, rounded, seed);
  };
  const ForwardTensors<HostBuffer> in(shape, {0, shape.query_heads}, tokens, tokens,
                                      ElementClass::accumulation);
  in.fill_inputs(fill_rounded);
  in.o.set_zero();  // rows of cached queries are never written
  kernel.forward(in.call(segments));
  Reference result;
  result.query_heads = shape.query_heads;
  result.kv_heads = shape.kv_heads;
  result.o = values_of(in.o.part(1), tokens);
  if (passes == Passes::forward) return result;
  const BackwardTensors<HostBuffer> out(in);
  out.fill_inputs(fill_rounded);
  run_row_sums(in.o.bound, out.d_o.bound, tokens);
  out.dq.set_zero();
  out.dkv.set_zero();
  kernel.backward(out.call(in, segments));
  result.dq = values_of(out.dq.part(0), tokens);
  result.dk = values_of(out.dkv.part(0), tokens);
  result.dv = values_of(out.dkv.part(1), tokens);
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

struct CacheEntry {
  Batch batch;
  AttentionShape shape;
  uint64_t seed;
  Passes passes;
  std::shared_ptr<const Reference> reference;
};

}  // namespace

// A causal pack without cached tokens is one segment.
std::vector<Segment> reference_segments(const Batch& batch) {
  if (batch.mask != Mask::causal || !batch.cached_tokens.empty()) return document_segments(batch);
  return document_segments({.document_lengths = {batch.tokens()}});
}

void set_largest_values(Reference& reference) {
  reference.largest_output = largest(reference.o);
  reference.largest_gradient =
      std::max({largest(reference.dq), largest(reference.dk), largest(reference.dv)});
}

Reference compute_reference(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                            Passes passes, const Kernel& kernel) {
  AttentionShape exact = shape;
  exact.dtype = Dtype::float64;
  Reference reference = run(batch, exact, shape.dtype, seed, passes, kernel);
  set_largest_values(reference);
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
  static std::list<CacheEntry> cache;  // the latest first
  const std::lock_guard lock(mutex);
  for (auto it = cache.begin(); it != cache.end(); ++it) {
    const bool has_passes = it->passes == Passes::both || passes == Passes::forward;
    if (it->batch == batch && it->shape == shape && it->seed == seed && has_passes) {
      cache.splice(cache.begin(), cache, it);
      return it->reference;
    }
  }
  const auto kernel = make_kernel(kernel_for("auto", shape));
  auto reference =
      std::make_shared<const Reference>(compute_reference(batch, shape, seed, passes, *kernel));
  cache.push_front({batch, shape, seed, passes, reference});
  if (cache.size() > kCacheEntries) cache.pop_back();
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
  const auto allowed = [&](double plain_error, double largest) {
    return std::min(std::max(3 * plain_error, 2 * unit * largest), most_error(dtype) * largest);
  };
  accuracy.tolerance_output = allowed(reference.plain_error_output, reference.largest_output);
  accuracy.tolerance_gradient = allowed(reference.plain_error_gradient, reference.largest_gradient);
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
