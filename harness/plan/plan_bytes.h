// How many bytes the tensors of a plan take, in memory and on the wire.
//
//   cost_of(send, plan.forward, plan, problem.shape).total()   // bytes that this send moves
//
// Shapes: q [tokens, Hq, D], k [tokens, Hkv, D], v [tokens, Hkv, Dv], o and do [tokens, Hq, Dv];
// log-sum-exp and row sums are [tokens, Hq] in the accumulation dtype. Where K and V travel as
// latents, kv and dkv are [tokens, latent_size + latent_rope_size] on the wire, for any heads.
#pragma once

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

// The KV heads that the query heads [begin, end) read: [floor(begin / g), ceil(end / g)) with g =
// Hq / Hkv.
Heads kv_heads_of(Heads query_heads, const AttentionShape& shape);

// The heads of a tensor are KV heads for kv and dkv, and query heads for the others.
inline bool has_kv_heads(Tensor t) { return t == Tensor::kv || t == Tensor::dkv; }
inline Heads heads_of(Tensor tensor, Heads query_heads, const AttentionShape& shape) {
  return has_kv_heads(tensor) ? kv_heads_of(query_heads, shape) : query_heads;
}

// Bytes of one token of `tensor` for these query heads on the wire. Partials of o travel in the
// dtype of the model, with log-sum-exp in the accumulation dtype; dq and dkv travel as `wire` says.
int64_t wire_bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape,
                             GradientWire wire);
// The same in the memory of a rank: copies are stored in the dtype of the model, partials in the
// accumulation dtype.
int64_t stored_bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape);
// What a token has at home besides, where K and V travel as latents: the latent, and in a backward
// pass (`is_partial(tensor)`) its gradient in the accumulation dtype. `tensor` is kv or dkv.
int64_t latent_bytes_per_token(Tensor tensor, const AttentionShape& shape);

// What one send moves between different ranks.
struct SendCost {
  int64_t pairs = 0;           // (sender, receiver) pairs of different ranks
  int64_t bytes_per_pair = 0;  // on the wire, with padding
  int64_t total() const { return pairs * bytes_per_pair; }
};
SendCost cost_of(const Send& send, const Pass& pass, const Plan& plan, const AttentionShape& shape);

}  // namespace cpbench
