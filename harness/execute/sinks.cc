#include "harness/execute/sinks.h"

#include <algorithm>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/element.h"
#include "harness/execute/inputs.h"

namespace cpbench {
namespace {

// The tensors have no such token, so no input has these values.
constexpr int64_t kTokenOfSinks = -1;

// Calls visit(row, head, log-sum-exp, row sum).
template <typename Visit>
void for_each_row_sum(const BoundBuffer& d_o, int64_t rows, const Visit& visit) {
  const Matrix lse = matrix_of(d_o, 0, d_o.heads), sums = matrix_of(d_o, 1, d_o.heads);
  with_element(lse.dtype, [&](auto zero) {
    using Sum = decltype(zero);
    for (int64_t row = 0; row < rows; ++row) {
      for (int32_t head = 0; head < d_o.heads.size(); ++head) {
        visit(row, head, static_cast<double>(*lse.at<Sum>(row, head)),
              static_cast<double>(*sums.at<Sum>(row, head)));
      }
    }
  });
}

}  // namespace

std::vector<double> sink_logits(const AttentionShape& shape, uint64_t seed) {
  std::vector<double> logits(shape.attention_sinks ? shape.query_heads : 0);
  for (size_t head = 0; head < logits.size(); ++head) {
    logits[head] =
        input_value(input_stream(Input::k, kTokenOfSinks, static_cast<int64_t>(head), seed), 0);
  }
  return logits;
}

void run_sinks(std::span<const double> logits, const BoundBuffer& o, int64_t rows) {
  const Matrix lse_of = matrix_of(o, 0, o.heads), out = matrix_of(o, 1, o.heads);
  with_element(out.dtype, [&](auto zero) {
    using Sum = decltype(zero);
    for (int64_t row = 0; row < rows; ++row) {
      for (int32_t head = 0; head < o.heads.size(); ++head) {
        Sum& lse = *lse_of.at<Sum>(row, head);
        const double own = lse, top = std::max(own, logits[head]);
        const double all = std::exp(own - top) + std::exp(logits[head] - top);
        const auto keep = static_cast<Sum>(std::exp(own - top) / all);
        Sum* values = out.at<Sum>(row, head);
        for (int64_t d = 0; d < out.width; ++d) values[d] = static_cast<Sum>(values[d] * keep);
        lse = static_cast<Sum>(top + std::log(all));
      }
    }
  });
}

void run_sink_gradient(std::span<const double> logits, const BoundBuffer& d_o, int64_t rows,
                       std::span<double> gradient) {
  if (logits.empty()) return;
  std::ranges::fill(gradient, 0);
  for_each_row_sum(d_o, rows, [&](int64_t, int32_t head, double lse, double row_sum) {
    gradient[head] += sink_gradient(logits[head], lse, row_sum);
  });
}

std::vector<double> sink_gradients(std::span<const double> logits, const BoundBuffer& d_o,
                                   int64_t rows) {
  std::vector<double> gradients;
  gradients.reserve(rows * logits.size());
  for_each_row_sum(d_o, rows, [&](int64_t, int32_t head, double lse, double row_sum) {
    gradients.push_back(sink_gradient(logits[head], lse, row_sum));
  });
  return gradients;
}

double sink_error(std::span<const double> gradient, const Ranges& home,
                  const Reference& reference) {
  const int64_t heads = reference.query_heads;
  const int64_t tokens = size_of(home);
  double error = 0;
  for (int64_t head = 0; head < heads && tokens > 0 && !reference.sinks.empty(); ++head) {
    double expected = 0;
    for_each_member(home,
                    [&](int64_t token) { expected += reference.sinks[token * heads + head]; });
    const double difference =
        std::abs(gradient[head] - expected) / std::sqrt(static_cast<double>(tokens));
    if (!(difference <= error)) error = difference;  // a NaN stays
    if (std::isnan(error)) break;
  }
  return error;
}

double sink_error(const Reference& found, const Reference& reference) {
  std::vector<double> sum(reference.query_heads, 0);
  for (size_t i = 0; i < found.sinks.size(); ++i) sum[i % sum.size()] += found.sinks[i];
  const auto tokens = static_cast<int64_t>(reference.sinks.size() / sum.size());
  return sink_error(sum, {{0, tokens}}, reference);
}

}  // namespace cpbench
