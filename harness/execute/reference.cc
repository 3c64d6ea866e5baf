// Inputs are rounded to the model's dtype first, so that all runs compute with the same numbers.
#include "harness/execute/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "harness/execute/call_tensors.h"
#include "harness/execute/element.h"
#include "harness/execute/host_layer.h"
#include "harness/execute/sinks.h"
#include "harness/plan/mask.h"

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

// Both enumerations have full, causal and band.
static_assert(static_cast<int>(SegmentMask::band) == static_cast<int>(PartForm::band));

Segment segment_of(const MaskPart& part) {
  const auto q_row = static_cast<int32_t>(part.queries.begin);
  const auto kv_row = static_cast<int32_t>(part.keys.begin);
  Segment s{.q_row = q_row,
            .q_rows = static_cast<int32_t>(part.queries.size()),
            .kv_row = kv_row,
            .kv_rows = static_cast<int32_t>(part.keys.size()),
            .out_row = q_row,
            .dkv_row = kv_row,
            .mask = static_cast<SegmentMask>(part.form)};
  if (part.form == PartForm::band) {
    s.last = q_row - kv_row;
    s.first = s.last - static_cast<int32_t>(part.window) + 1;
  }
  return s;
}

// One call for the first segment of each group, one for the second, and so on.
std::vector<std::vector<Segment>> calls_of(const std::vector<SegmentGroup>& groups) {
  std::vector<std::vector<Segment>> calls;
  for (const SegmentGroup& group : groups) {
    if (calls.size() < group.size()) calls.resize(group.size());
    for (size_t i = 0; i < group.size(); ++i) calls[i].push_back(group[i]);
  }
  return calls;
}

// Fills the rows of all tokens with inputs that are rounded to a dtype.
void fill(const Matrix& target, int64_t rows, Input input, Dtype rounded, uint64_t seed) {
  const Range tokens{0, rows};
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

// The main data of the tensors that a layer reads and writes.
LayerHome home_of(const ForwardTensors<HostBuffer>& in,
                  const std::optional<BackwardTensors<HostBuffer>>& out) {
  const auto part = [&](const HostBuffer& buffer, int32_t number) {
    return dense_part(buffer.layout, in.shape, number, buffer.arena.data());
  };
  LayerHome home{.q = part(in.q, 0), .k = part(in.kv, 0), .v = part(in.kv, 1), .o = part(in.o, 1)};
  if (!out) return home;
  home.d_o = part(out->d_o, 2);
  home.dq = part(out->dq, 0);
  home.dk = part(out->dkv, 0);
  home.dv = part(out->dkv, 1);
  return home;
}

std::vector<double> values_of(const Matrix& matrix, int64_t rows) {
  std::vector<double> values(rows * matrix.heads * matrix.width);
  with_element(matrix.dtype, [&](auto zero) {
    const auto* source = matrix.at<decltype(zero)>(0, 0);
    std::copy(source, source + values.size(), values.begin());
  });
  return values;
}

// Merges the attention of one more call into O and its log-sum-exp.
void add_forward(const ForwardTensors<HostBuffer>& in, const std::vector<Segment>& segments,
                 const Kernel& kernel) {
  const HostBuffer more(in.o.layout, in.shape);
  ForwardCall call = in.call(segments);
  call.o = more.part(1);
  call.lse = more.part(0);
  kernel.forward(call);
  RowOp merge{.mode = RowMode::accumulate, .heads = in.heads};
  std::vector<RowRun> runs;
  for (const Segment& s : segments) {
    runs.push_back({s.out_row, s.out_row, s.q_rows});
    merge.rows += s.q_rows;
  }
  merge.runs = static_cast<int32_t>(runs.size());
  run_row_op(merge, runs, Tensor::o, more.bound, in.o.bound);
}

// Computes attention in `shape.dtype` on inputs that are rounded to `rounded`.
Reference run(const Batch& batch, const AttentionShape& shape, Dtype rounded, uint64_t seed,
              Passes passes, const Kernel& kernel) {
  const int64_t tokens = batch.tokens();
  const std::vector<std::vector<Segment>> calls = calls_of(reference_segments(batch));
  const auto fill_rounded = [&](const HostBuffer& buffer, int32_t part, Input input) {
    fill(buffer.part(part), tokens, input, rounded, seed);
  };
  const ForwardTensors<HostBuffer> in(shape, {0, shape.query_heads}, tokens, tokens,
                                      ElementClass::accumulation);
  std::optional<BackwardTensors<HostBuffer>> out;
  if (passes == Passes::both) out.emplace(in);
  std::optional<HostLayer> layer;
  if (shape.hidden_size > 0) {
    layer.emplace(shape, home_of(in, out), Cores::all);
    const std::array<Range, 1> all = {Range{0, tokens}};
    layer->bound().fill_inputs(all, seed,
                               [&](const Matrix& matrix, Range rows, int64_t, uint64_t own) {
                                 fill(matrix, rows.size(), Input::q, rounded, own);
                               });
    layer->run(layer->bound().before(0));
  } else {
    in.fill_inputs(fill_rounded);
    if (out) out->fill_inputs(fill_rounded);
  }
  in.o.set_zero();  // rows of cached queries are never written
  kernel.forward(in.call(calls.front()));
  for (size_t i = 1; i < calls.size(); ++i) add_forward(in, calls[i], kernel);
  const std::vector<double> sinks = sink_logits(shape, seed);
  if (!sinks.empty()) run_sinks(sinks, in.o.bound, tokens);
  Reference result;
  result.tokens = tokens;
  result.query_heads = shape.query_heads;
  result.kv_heads = shape.kv_heads;
  result.o = values_of(in.o.part(1), tokens);
  if (layer) {
    layer->run(layer->bound().after(0));
    result.layer_out = values_of(layer->bound().outputs().out.matrix(), tokens);
  }
  if (!out) return result;
  if (layer) layer->run(layer->bound().before(1));
  run_row_sums(in.o.bound, out->d_o.bound, tokens);
  out->dq.set_zero();
  out->dkv.set_zero();
  if (!sinks.empty()) result.sinks = sink_gradients(sinks, out->d_o.bound, tokens);
  for (const std::vector<Segment>& call : calls) kernel.backward(out->call(in, call));
  result.dq = values_of(out->dq.part(0), tokens);
  result.dk = values_of(out->dkv.part(0), tokens);
  result.dv = values_of(out->dkv.part(1), tokens);
  if (layer) {
    layer->run(layer->bound().after(1));
    result.layer_dx = values_of(layer->bound().outputs().dx.matrix(), tokens);
    result.weight_checks = weight_checks(layer->bound().outputs());
  }
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

std::vector<SegmentGroup> reference_segments(const Batch& batch) {
  const MaskIndex mask(batch);
  std::vector<SegmentGroup> groups;
  mask.for_each_document(mask.new_tokens(), [&](Range queries, int32_t document) {
    mask.for_each_own_part(queries, document, [&](const MaskPart& own) {
      SegmentGroup& group = groups.emplace_back();
      for (const Range& keys : mask.ancestors(document)) {
        group.push_back(segment_of({own.queries, keys}));
      }
      group.push_back(segment_of(own));
    });
  });
  return groups;
}

void set_largest_values(Reference& reference) {
  if (!reference.layer_out.empty()) {
    reference.largest_output = largest(reference.layer_out);
    reference.largest_gradient = largest(reference.layer_dx);
    return;
  }
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
  if (exact.hidden_size > 0) {
    reference.plain_error_output = deviation(plain.layer_out, reference.layer_out);
    reference.plain_error_gradient = std::max(deviation(plain.layer_dx, reference.layer_dx),
                                              weight_error(plain.weight_checks, reference));
    return reference;
  }
  reference.plain_error_output = deviation(plain.o, reference.o);
  reference.plain_error_gradient =
      std::max({deviation(plain.dq, reference.dq), deviation(plain.dk, reference.dk),
                deviation(plain.dv, reference.dv), sink_error(plain, reference)});
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
  const auto kernel = make_kernel(kernel_for("auto", shape), Cores::all);
  auto reference =
      std::make_shared<const Reference>(compute_reference(batch, shape, seed, passes, *kernel));
  cache.push_front({batch, shape, seed, passes, reference});
  if (cache.size() > kCacheEntries) cache.pop_back();
  return reference;
}

double weight_error(std::span<const double> checks, const Reference& reference) {
  if (checks.size() != reference.weight_checks.size()) {
    throw std::logic_error("weights must have as many checks as in the reference");
  }
  double error = 0;
  for (size_t i = 0; i < checks.size(); ++i) {
    const double difference = std::abs(checks[i] - reference.weight_checks[i]);
    if (!(difference <= error)) error = difference;  // a NaN stays
    if (std::isnan(error)) break;
  }
  return error / std::sqrt(static_cast<double>(reference.tokens));
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
