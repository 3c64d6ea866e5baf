// The Problem: what is to be computed (Batch, AttentionShape) and on what (Cluster).
//
//   Problem problem{.batch = {.document_lengths = {4096, 1024}},
//                   .shape = {.query_heads = 32, .kv_heads = 8, .dtype = Dtype::bfloat16},
//                   .cluster = {.nodes = 2, .gpus_per_node = 8}};
//   validate(problem);   // 16 ranks, 5120 tokens
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

// Which keys of its own document a query may see, or with `causal` of the whole pack. Tokens have
// global indices 0..T-1 in the packed batch. Under every mask, these keys are one contiguous range.
enum class Mask : uint8_t {
  document_causal,  // itself and the earlier tokens of its own document (the default)
  causal,           // itself and the earlier tokens of the whole pack
  document_full,    // all tokens of its own document
  sliding_window,   // document_causal, but only the latest `window` tokens, with itself
  block_causal,     // the tokens of its own block of `window` tokens and of all earlier blocks
  chunked,          // document_causal, but only the tokens of its own chunk of `window` tokens
  prefix,           // document_causal, but the first `window` tokens all see each other
};
// Whether the mask has a window (or a block, chunk or prefix) of so many tokens.
inline bool has_window(Mask mask) { return mask >= Mask::sliding_window; }

// What the queries of one document see of it. Blocks and chunks are counted from its first token.
struct DocumentRule {
  Mask mask = Mask::document_causal;  // any but causal
  int64_t window = 0;                 // in tokens; >= 1 where the mask has a window, otherwise 0
  bool operator==(const DocumentRule&) const = default;
};

// The mask of some layers of a model.
struct LayerMask {
  DocumentRule rule;
  int64_t layers = 1;  // >= 1
  bool operator==(const LayerMask&) const = default;
};

// A forest of documents. A query sees all tokens of its document's ancestors (its parent, the
// parent of that, ...) and what the mask says of its own document.
//
//   {.document_lengths = {2048, 512, 512}, .parents = {-1, 0, 0}}   // a prompt and two completions
struct Batch {
  std::vector<int64_t> document_lengths;  // in tokens, each >= 0, in the order of packing
  Mask mask = Mask::document_causal;
  int64_t window = 0;  // in tokens; >= 1 where the mask has a window, otherwise 0
  // How many of the first tokens of each document an earlier turn of inference has left in the KV
  // cache: they have K and V but no query. Empty (the default) means none. At least one token of
  // the batch must be new. A pad slot is a document of which all tokens are cached.
  std::vector<int64_t> cached_tokens{};
  // The parent of each document, which must be an earlier one, or -1. Empty (the default) means
  // that none has a parent, as it must be with mask causal.
  std::vector<int32_t> parents{};
  // The rule of each document. Empty (the default) means that `mask` and `window` hold for all;
  // otherwise these must have their default values.
  std::vector<DocumentRule> rules{};
  // The masks of all layers for which one layout is planned: the work that a strategy balances is
  // the sum over them, with their layers as weights (MaskIndex::work). What a query sees remains
  // `mask`. Empty (the default) means that only the work under `mask` counts.
  std::vector<LayerMask> layer_masks{};

  int64_t tokens() const;      // with the cached ones
  int64_t new_tokens() const;  // those that have a query
  // Whether no document has a parent, and `mask` holds for all.
  bool is_uniform() const { return parents.empty() && rules.empty(); }
  bool operator==(const Batch&) const = default;
};

// One batch per mask of its layers, whose work is that under its own mask alone; the batch itself
// if there is one mask.
struct LayerBatch {
  Batch batch;
  int64_t layers = 1;
};
std::vector<LayerBatch> layer_batches(const Batch& batch);

enum class Dtype : uint8_t { float64, float32, bfloat16 };

int64_t bytes_of(Dtype dtype);
// The dtype of log-sum-exp, of partial results and of their sums: float64 for float64, otherwise
// float32.
Dtype accumulation_dtype(Dtype dtype);

struct AttentionShape {
  int32_t query_heads = 8;      // >= 1
  int32_t kv_heads = 8;         // must divide query_heads (grouped-query attention)
  int32_t head_dim = 64;        // of Q and K, >= 1
  int32_t value_head_dim = 64;  // of V and O, >= 1
  Dtype dtype = Dtype::float32;
  int64_t hidden_size = 0;  // of the layer around the attention; 0: only attention
  int64_t ffn_size = 0;     // of the same layer; 0: no FFN
  // One learnable logit per query head, which is in the denominator of each of its softmaxes once
  // and has no value: P = exp(S - lse) with lse = log(exp(sink) + sum of exp(S)).
  bool attention_sinks = false;
  // Where K and V travel as latents (multi-head latent attention): elements per token of the
  // latent, of which a projection makes V of each head and the first elements of its K, and of the
  // last elements of K, which have rotary positions and are the same for all heads. `latent_size`
  // 0: K and V travel themselves.
  int64_t latent_size = 0;       // at most the elements of K and V of a token
  int64_t latent_rope_size = 0;  // at most head_dim; 0 without a latent

  bool latents_travel() const { return latent_size > 0; }
  bool operator==(const AttentionShape&) const = default;
};

// Forward FLOPs per token of the layer around the attention: the projections of Q, K, V and O, and
// a gated FFN (three matrices). 0 without a layer.
double layer_flops_per_token(const AttentionShape& shape);
// FLOPs per token of the projection of a latent to K and V of so many KV heads.
double latent_flops_per_token(const AttentionShape& shape, int32_t kv_heads);

// The cluster that a plan is for. Consecutive ranks fill a node. Strategies may read these numbers,
// but never time anything. The rates are per GPU, and per direction where they are of links; 0
// means unknown.
struct Cluster {
  std::string name = "threads";
  int32_t nodes = 1;
  int32_t gpus_per_node = 1;
  double peak_flops_per_second = 0;  // dense, in the shape's dtype
  double memory_bytes = 0;           // per GPU; 0: unlimited
  double memory_bytes_per_second = 0;
  double intra_node_bytes_per_second = 0;
  double inter_node_bytes_per_second = 0;

  int32_t ranks() const { return nodes * gpus_per_node; }
  int32_t node_of(int32_t rank) const { return rank / gpus_per_node; }
  bool operator==(const Cluster&) const = default;
};

struct Problem {
  Batch batch;
  AttentionShape shape;
  Cluster cluster;
  int32_t ranks() const { return cluster.ranks(); }
  int64_t tokens() const { return batch.tokens(); }
  bool operator==(const Problem&) const = default;
};

// Throws UserError (errors.h) that names the field, its value and what the value must be, also for
// one beyond limits.h.
void validate(const Problem& problem);

}  // namespace cpbench
