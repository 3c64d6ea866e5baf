#include "harness/plan/plan_bytes.h"

#include <algorithm>

namespace cpbench {

Heads kv_heads_of(Heads query_heads, const AttentionShape& shape) {
  int32_t group = shape.query_heads / shape.kv_heads;
  return {query_heads.begin / group, (query_heads.end + group - 1) / group};
}

namespace {

int64_t elements_per_token(Tensor tensor, Heads heads, const AttentionShape& shape) {
  switch (tensor) {
    case Tensor::q:
    case Tensor::dq:
      return int64_t{heads.size()} * shape.head_dim;
    case Tensor::kv:
    case Tensor::dkv:
      return int64_t{kv_heads_of(heads, shape).size()} * (shape.head_dim + shape.value_head_dim);
    case Tensor::o:
    case Tensor::d_o:
      return int64_t{heads.size()} * shape.value_head_dim;
  }
  return 0;
}

// Per token: the log-sum-exp that travels with o, or the log-sum-exp and row sums that travel with
// do.
int64_t statistics_per_token(Tensor tensor, Heads heads) {
  if (tensor == Tensor::o) return heads.size();
  if (tensor == Tensor::d_o) return int64_t{2} * heads.size();
  return 0;
}

int64_t latent_bytes(const AttentionShape& shape, bool accumulation) {
  return (shape.latent_size + shape.latent_rope_size) *
         bytes_of(accumulation ? accumulation_dtype(shape.dtype) : shape.dtype);
}

int64_t bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape,
                        bool accumulation) {
  int64_t wide = bytes_of(accumulation_dtype(shape.dtype));
  int64_t element = accumulation ? wide : bytes_of(shape.dtype);
  return elements_per_token(tensor, heads, shape) * element +
         statistics_per_token(tensor, heads) * wide;
}

}  // namespace

int64_t wire_bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape,
                             GradientWire wire) {
  const bool gradient = tensor == Tensor::dq || tensor == Tensor::dkv;
  const bool accumulation = gradient && wire == GradientWire::accumulation;
  if (has_kv_heads(tensor) && shape.latents_travel()) return latent_bytes(shape, accumulation);
  return bytes_per_token(tensor, heads, shape, accumulation);
}

int64_t latent_bytes_per_token(Tensor tensor, const AttentionShape& shape) {
  return shape.latents_travel() ? latent_bytes(shape, is_partial(tensor)) : 0;
}

int64_t stored_bytes_per_token(Tensor tensor, Heads heads, const AttentionShape& shape) {
  return bytes_per_token(tensor, heads, shape, is_partial(tensor));
}

SendCost cost_of(const Send& send, const Pass& pass, const Plan& plan,
                 const AttentionShape& shape) {
  const RangeSets& ranks = plan.rank_sets;
  int64_t tokens = plan.token_sets.size_of(send.tokens);
  if (send.collective >= 0) tokens = pass.collectives[send.collective].padded_tokens;
  return {ranks.size_of(send.from) * ranks.size_of(send.to) -
              size_of_intersection(ranks[send.from], ranks[send.to]),
          tokens * wire_bytes_per_token(send.tensor, send.heads, shape, plan.gradient_wire)};
}

}  // namespace cpbench
