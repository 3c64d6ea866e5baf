// The single-device reference: whole documents, float64, forward and backward; and how far a plain
// run in the model's dtype is from it, which the tolerances refer to.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "harness/execute/kernel.h"
#include "harness/plan/check.h"
#include "harness/plan/problem.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

struct Reference {
  // [tokens, heads, width] each: O, dQ, dK, dV; the gradients are empty after a forward run. Of the
  // first heads of the shape, or all.
  std::vector<double> o, dq, dk, dv;
  int32_t query_heads = 0, kv_heads = 0;  // of these
  double plain_error_output = 0;
  double plain_error_gradient = 0;
  double largest_output = 0;
  double largest_gradient = 0;
};

// Depends on the arguments alone, so the last few are remembered: a sweep runs many strategies on
// one pack. Safe to call from any thread.
std::shared_ptr<const Reference> reference_for(const Batch& batch, const AttentionShape& shape,
                                               uint64_t seed, Passes passes);

// The same without memory, by a kernel of one's choice.
Reference compute_reference(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                            Passes passes, const Kernel& kernel);

// Fills in the largest values.
void note_largest(Reference& reference);

// Tolerances by the rules of this project: float64 1e-10; otherwise three times the plain error,
// and at least two units of rounding of the largest value.
Accuracy tolerances(const Reference& reference, Dtype dtype);

// `error` or the largest deviation of the matrix's rows from those tokens, in their first `heads`
// heads, which are all of `reference`; NaN if there is any.
double worst_error(double error, const Matrix& matrix, int64_t row, Range tokens, int64_t heads,
                   const std::vector<double>& reference);

// One segment for each document, or for all of a causal pack: what a single device would compute.
// Rows are tokens.
std::vector<Segment> reference_segments(const Batch& batch);

}  // namespace cpbench
