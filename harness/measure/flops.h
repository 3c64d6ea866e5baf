// The convention for counting FLOPs, on which every rate is based.
#pragma once

#include "harness/plan/check.h"
#include "harness/plan/problem.h"

namespace cpbench {

inline constexpr double kBackwardFlopsOverForward = 2.5;  // 5 matrix products against 2
// For projections and FFN: gradients of inputs and of weights.
inline constexpr double kBackwardLayerFlopsOverForward = 2;

// FLOPs of one visible (query, key, query head) triple; the forward pass computes scores and
// output.
inline double flops_per_pair(const AttentionShape& shape, Passes passes) {
  const double forward = 2.0 * (shape.head_dim + shape.value_head_dim);
  return forward * (passes == Passes::both ? 1 + kBackwardFlopsOverForward : 1);
}

}  // namespace cpbench
