// What the plan's tensors weigh. Shapes: q [tokens, Hq, D], k [tokens, Hkv, D], v [tokens, Hkv,
// Dv], o and do [tokens, Hq, Dv]; log-sum-exp and row sums [tokens, Hq] in the accumulation dtype.
#pragma once

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

// KV heads that the query heads [begin, end) read: [floor(begin / g), ceil(end / g)), g = Hq / Hkv.
Heads kv_heads_of(Heads query_heads, const AttentionShape& shape);

// One token of `tensor` for these query heads, as it travels (partials of o travel in the model's
// dtype with log-sum-exp in the accumulation dtype; dq and dkv as `wire` says).
int64_t wire_bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape,
                             GradientWire wire);
// As it is stored on a rank: copies in the model's dtype, partials in the accumulation dtype.
int64_t stored_bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape);

// Blocks and bytes that cross from one rank to another for one send, padding included.
struct SendCost {
  int64_t pairs = 0;           // (from, to) pairs of different ranks
  int64_t bytes_per_pair = 0;  // on the wire, padding included
  int64_t total() const { return pairs * bytes_per_pair; }
};
SendCost cost_of(const Send& send, const Pass& pass, const Plan& plan, const AttentionShape& shape);

}  // namespace cpbench
