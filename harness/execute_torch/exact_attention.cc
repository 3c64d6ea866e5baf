// Forward: S = Q K^T / sqrt(D) over the visible keys, P = exp(S - lse), O = P V. An attention
// sink is one more key, without a value.
// Backward: dV = P^T dO, dP = dO V^T, dS = P * (dP - rowsum(dO * O)) / sqrt(D), dQ = dS K,
// dK = dS^T Q.
// A block of queries at a time, in float64 on the CPU and in float32 on a GPU.
#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "harness/execute/inputs.h"
#include "harness/execute/sinks.h"
#include "harness/execute_torch/parts.h"
#include "harness/execute_torch/torch_layer.h"

namespace cpbench {
namespace {

// The most scores of a block of queries: 1 GB in float32.
constexpr int64_t kMostScores = int64_t{1} << 28;

at::ScalarType type_of(Dtype dtype) {
  if (dtype == Dtype::float64) return at::kDouble;
  return dtype == Dtype::float32 ? at::kFloat : at::kBFloat16;
}

class ExactAttention {
 public:
  ExactAttention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                 std::optional<int32_t> gpu)
      : batch_(batch), shape_(shape), seed_(seed) {
    options_ = options_.device(at::kCPU).dtype(at::kDouble);
    if (!gpu) return;
    const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(*gpu));
    options_ = options_.device(device).dtype(at::kFloat);
  }

  Reference run(Passes passes) {
    const int64_t tokens = batch_.tokens();
    const int64_t heads = shape_.query_heads, kv_heads = shape_.kv_heads;
    const int64_t width = shape_.head_dim, value_width = shape_.value_head_dim;
    const bool backward = passes == Passes::both;
    std::optional<TorchLayer> layer;
    if (shape_.hidden_size > 0) {
      layer.emplace(shape_, tokens, seed_, options_);
      const TorchLayer::Operands operands = layer->operands();
      q_ = operands.q, k_ = operands.k, v_ = operands.v;
    } else {
      q_ = input(Input::q, heads, width);
      k_ = input(Input::k, kv_heads, width);
      v_ = input(Input::v, kv_heads, value_width);
      if (backward) d_o_ = input(Input::d_o, heads, value_width);
    }
    o_ = at::zeros({heads, tokens, value_width}, options_);
    const std::vector<double> sinks = sink_logits(shape_, seed_);
    if (!sinks.empty()) sinks_ = at::tensor(sinks, at::kDouble).to(options_);
    if (backward) {
      dq_ = at::zeros({heads, tokens, width}, options_);
      dk_ = at::zeros({kv_heads, tokens, width}, options_);
      dv_ = at::zeros({kv_heads, tokens, value_width}, options_);
      if (!sinks.empty()) d_sinks_ = at::zeros({heads, tokens, 1}, options_);
    }
    // dO of a layer depends on O, so the backward pass then computes the forward pass again.
    if (layer) {
      add_all(false);
      layer->set_output(o_);
      if (backward) d_o_ = layer->output_gradient();
    }
    if (!layer || backward) add_all(backward);
    Reference result;
    result.tokens = tokens;
    result.query_heads = shape_.query_heads;
    result.kv_heads = shape_.kv_heads;
    result.o = values_of(o_);
    if (backward) {
      result.dq = values_of(dq_);
      result.dk = values_of(dk_);
      result.dv = values_of(dv_);
      if (d_sinks_.defined()) result.sinks = values_of(d_sinks_);
      if (layer) layer->set_gradients(dq_, dk_, dv_);
    }
    if (layer) layer->add_to(result);
    set_largest_values(result);
    return result;
  }

 private:
  at::Tensor input(Input which, int64_t heads, int64_t width) const {
    const int64_t tokens = batch_.tokens();
    const at::Tensor host =
        at::empty({tokens, heads, width}, at::device(at::kCPU).dtype(type_of(shape_.dtype)));
    const Matrix matrix{static_cast<std::byte*>(host.data_ptr()), shape_.dtype,
                        static_cast<int32_t>(heads), width, heads * width};
    fill_input(matrix, which, {0, tokens}, 0, seed_);
    return host.to(options_).transpose(0, 1).contiguous();  // [heads, tokens, width]
  }

  void add_all(bool backward) {
    for (const SegmentGroup& group : reference_segments(batch_)) {
      for (int64_t kv_head = 0; kv_head < shape_.kv_heads; ++kv_head) add(group, kv_head, backward);
    }
  }

  // Adds the attention of one group and one KV head, a block of query rows at a time.
  void add(const SegmentGroup& segments, int64_t kv_head, bool backward) {
    const int64_t group = shape_.query_heads / shape_.kv_heads;
    const int64_t all_rows = segments.front().q_rows;
    int64_t keys = 0;
    for (const Segment& s : segments) keys += s.kv_rows;
    const int64_t rows = std::clamp<int64_t>(kMostScores / (group * keys), 1, all_rows);
    for (int64_t first = 0; first < all_rows; first += rows) {
      add_rows(segments, kv_head, first, std::min(all_rows, first + rows), backward);
    }
  }

  // The keys of all segments lie one after another.
  void add_rows(const SegmentGroup& segments, int64_t kv_head, int64_t first, int64_t last,
                bool backward) {
    const int64_t group = shape_.query_heads / shape_.kv_heads, head = kv_head * group;
    const auto of_queries = [&](const at::Tensor& t) {  // [group, rows, width]
      return t.narrow(0, head, group).narrow(1, segments.front().q_row + first, last - first);
    };
    const auto of_segment = [&](const at::Tensor& t, const Segment& s) {  // [keys, width]
      return t.select(0, kv_head).narrow(0, s.kv_row, s.kv_rows);
    };
    const auto of_keys = [&](const at::Tensor& t) {
      std::vector<at::Tensor> parts;
      for (const Segment& s : segments) parts.push_back(of_segment(t, s));
      return parts.size() == 1 ? parts.front() : at::cat(parts);
    };
    const auto add_to_keys = [&](const at::Tensor& target, const at::Tensor& gradient) {
      int64_t row = 0;
      for (const Segment& s : segments) {
        of_segment(target, s).add_(gradient.narrow(0, row, s.kv_rows));
        row += s.kv_rows;
      }
    };
    const double scale = 1 / std::sqrt(shape_.head_dim);
    const at::Tensor q = of_queries(q_), k = of_keys(k_), v = of_keys(v_);
    const at::Tensor scores = at::matmul(q, k.t()) * scale;
    int64_t column = 0;
    for (const Segment& s : segments) {
      if (const auto hidden = hidden_pairs(s, first, last)) {
        scores.narrow(-1, column, s.kv_rows)
            .masked_fill_(*hidden, -std::numeric_limits<double>::infinity());
      }
      column += s.kv_rows;
    }
    const auto [p, p_sink] = probabilities(scores, head);
    const at::Tensor o = at::matmul(p, v);
    of_queries(o_).copy_(o);
    if (!backward) return;
    const at::Tensor d_o = of_queries(d_o_);
    const at::Tensor sums = (d_o * o).sum(-1, true);
    if (d_sinks_.defined()) of_queries(d_sinks_).copy_(-p_sink * sums);
    const at::Tensor d_scores = p * (at::matmul(d_o, v.t()) - sums) * scale;
    of_queries(dq_).copy_(at::matmul(d_scores, k));
    add_to_keys(dk_, at::matmul(d_scores.transpose(1, 2), q).sum(0));
    add_to_keys(dv_, at::matmul(p.transpose(1, 2), d_o).sum(0));
  }

  // Of all keys, and of the sinks of the heads from `head` on (undefined without).
  std::pair<at::Tensor, at::Tensor> probabilities(const at::Tensor& scores, int64_t head) const {
    if (!sinks_.defined()) {
      return {at::softmax(scores, -1).nan_to_num_(0), {}};  // NaN: rows that see no key
    }
    const int64_t group = scores.size(0), rows = scores.size(1), keys = scores.size(2);
    const at::Tensor sinks = sinks_.narrow(0, head, group).view({group, 1, 1});
    const at::Tensor p = at::softmax(at::cat({scores, sinks.expand({group, rows, 1})}, -1), -1);
    return {p.narrow(-1, 0, keys), p.narrow(-1, keys, 1)};
  }

  std::optional<at::Tensor> hidden_pairs(const Segment& s, int64_t first, int64_t last) const {
    if (s.mask == SegmentMask::full) return std::nullopt;
    const bool band = s.mask == SegmentMask::band;
    const at::Tensor row = at::arange(first, last, options_.dtype(at::kLong)).unsqueeze(1);
    const at::Tensor key = at::arange(s.kv_rows, options_.dtype(at::kLong)).unsqueeze(0);
    const at::Tensor distance = key - row;
    const at::Tensor late = distance > (band ? s.last : s.kv_rows - s.q_rows);
    return band ? late | (distance < s.first) : late;
  }

  static std::vector<double> values_of(const at::Tensor& t) {
    const at::Tensor host = t.transpose(0, 1).to(at::kCPU, at::kDouble).contiguous();
    const double* data = host.const_data_ptr<double>();
    return {data, data + host.numel()};
  }

  const Batch& batch_;
  const AttentionShape& shape_;
  uint64_t seed_;
  at::TensorOptions options_;
  at::Tensor q_, k_, v_, d_o_, o_, dq_, dk_, dv_;
  at::Tensor sinks_, d_sinks_;  // undefined without
};

}  // namespace

std::filesystem::path torch_libraries() {
  Dl_info cpu{};
  if (dladdr(reinterpret_cast<const void*>(&at::globalContext), &cpu) == 0) return {};
  return std::filesystem::path(cpu.dli_fname).parent_path();
}

bool cuda_tensors_work() {
  static const bool works = [] {
    // LibTorch's CUDA library registers itself when it is loaded.
    const auto file = torch_libraries() / "libtorch_cuda.so";
    if (!dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL)) return false;
    return at::hasCUDA();
  }();
  return works;
}

Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                          Passes passes, std::optional<int32_t> gpu) {
  const c10::InferenceMode guard;
  use_cores(Cores::all);
  Reference reference = ExactAttention(batch, shape, seed, gpu).run(passes);
  // LibTorch keeps the memory of tensors that are gone, which the runs on this GPU need.
  if (gpu) at::getDeviceAllocator(at::kCUDA)->emptyCache();
  return reference;
}

}  // namespace cpbench
