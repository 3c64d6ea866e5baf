// The single-device reference: attention of whole documents in float64, forward and backward. The
// tolerances depend on how far a plain run in the model's dtype is from it.
//
//   const auto reference = reference_for(batch, shape, seed, Passes::both);
//   Accuracy accuracy = tolerances(*reference, shape.dtype);
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "harness/execute/kernel.h"
#include "harness/plan/check.h"
#include "harness/plan/problem.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

struct Reference {
  // O, dQ, dK, dV as [tokens, heads, width]; the gradients are empty after a forward pass. They
  // have all heads of the shape, or only the first ones.
  std::vector<double> o, dq, dk, dv;
  int64_t tokens = 0;
  // What each token adds to the gradient of the attention sinks' logits [tokens, query heads];
  // empty without sinks or after a forward pass.
  std::vector<double> sinks;
  int32_t query_heads = 0, kv_heads = 0;  // heads of o, dq and of dk, dv
  // With a layer around the attention (layer.h): its output and the gradient of X as
  // [tokens, hidden_size], and the checks of its weights' gradients.
  std::vector<double> layer_out, layer_dx, weight_checks;
  double plain_error_output = 0;  // largest error of the plain run
  double plain_error_gradient = 0;
  double largest_output = 0;  // largest absolute values
  double largest_gradient = 0;
};

// Returns the reference, and keeps the last few, because a sweep runs many strategies on one pack.
// May be called from any thread.
std::shared_ptr<const Reference> reference_for(const Batch& batch, const AttentionShape& shape,
                                               uint64_t seed, Passes passes);

// Computes the reference with a given kernel.
Reference compute_reference(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                            Passes passes, const Kernel& kernel);

// Sets `largest_output` and `largest_gradient`.
void set_largest_values(Reference& reference);

// The error of the sum of all ranks' weight_checks. It is divided by the root of the number of
// tokens, because gradients of weights grow with it and those of tokens do not.
double weight_error(std::span<const double> checks, const Reference& reference);

// The tolerances of this project: 1e-10 in float64; in other dtypes three times the plain error,
// and at least two units of rounding of the largest value, but never more than 1/8 of it in
// bfloat16 and 1/1024 in float32.
Accuracy tolerances(const Reference& reference, Dtype dtype);

// The larger of `error` and the largest deviation of the matrix's rows, from row `row` on, from the
// reference's `tokens`; NaN if any deviation is NaN. Compares the first `heads` heads, which must
// be all heads of `reference`.
double worst_error(double error, const Matrix& matrix, int64_t row, Range tokens, int64_t heads,
                   const std::vector<double>& reference);

// What a single device would compute, with tokens as rows. Each query row is in one group, and a
// group has one segment for each range of keys that its query rows see.
using SegmentGroup = std::vector<Segment>;
std::vector<SegmentGroup> reference_segments(const Batch& batch);

}  // namespace cpbench
