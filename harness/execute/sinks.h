// Attention sinks: one logit per query head, which enters the softmax of each row once, where O is
// finished: at home, after the last merge. It has no value, so it takes a share of O away.
//
//   const std::vector<double> logits = sink_logits(shape, seed);
//   run_sinks(logits, o, rows);                          // O and log-sum-exp, in place
//   run_sink_gradient(logits, d_o, rows, gradient);      // from the side data of dO
//
// The gradient of a rank is that of its home tokens. Like those of all parameters, the gradients of
// the ranks are summed with the optimizer's all-reduce, which is no part of a plan.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "harness/execute/reference.h"
#include "harness/execute/row_ops.h"

namespace cpbench {

// [query heads], the same on all ranks; empty if the shape has no sinks.
std::vector<double> sink_logits(const AttentionShape& shape, uint64_t seed);

// `o` must have all query heads, in the accumulation dtype.
void run_sinks(std::span<const double> logits, const BoundBuffer& o, int64_t rows);

// What a row adds to the gradient of its head's logit: dS = P (dP - row_sum) with dP = 0.
inline double sink_gradient(double logit, double lse, double row_sum) {
  return -std::exp(logit - lse) * row_sum;
}

// The sum of all rows [query heads]. Reads log-sum-exp and row sums of `d_o`. Does nothing without
// logits.
void run_sink_gradient(std::span<const double> logits, const BoundBuffer& d_o, int64_t rows,
                       std::span<double> gradient);
// That of each row: [rows, query heads].
std::vector<double> sink_gradients(std::span<const double> logits, const BoundBuffer& d_o,
                                   int64_t rows);

// The largest deviation of a gradient from the reference's for the same tokens, in the heads that
// the reference has. It is divided by the square root of the number of tokens, by which the
// rounding errors of their sum grow. 0 where the reference has no sinks; NaN if one is NaN.
double sink_error(std::span<const double> gradient, const Ranges& home, const Reference& reference);
double sink_error(const Reference& found, const Reference& reference);  // of all tokens

}  // namespace cpbench
