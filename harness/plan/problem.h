// The Problem: what is to be computed (Batch, AttentionShape) and on what (Cluster).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

// Which keys a query may see. Tokens have global indices 0..T-1 in the packed batch; whatever the
// mask, the keys that one query sees are one contiguous range (see `visible_keys` in mask.h).
enum class Mask : uint8_t {
  document_causal,  // the earlier tokens of its own document and itself (the default)
  causal,           // the earlier tokens of the whole pack and itself
  document_full,    // all tokens of its own document
  sliding_window,   // document-causal, but only the `window` latest tokens, itself included
};

struct Batch {
  std::vector<int64_t> document_lengths;  // tokens, each >= 1, in packing order
  Mask mask = Mask::document_causal;
  int64_t window = 0;  // tokens; >= 1 with sliding_window, else 0
  // Per document, how many of its first tokens an earlier turn of inference has left in the KV
  // cache: they have K and V but no query. Empty: none. At least one token of the batch is new.
  std::vector<int64_t> cached_tokens{};

  int64_t tokens() const;      // cached and new
  int64_t new_tokens() const;  // those with a query
  bool operator==(const Batch&) const = default;
};

enum class Dtype : uint8_t { float64, float32, bfloat16 };

int64_t bytes_of(Dtype dtype);
// The dtype of log-sum-exp, partial results and their sums: float64 for float64, else float32.
Dtype accumulation_dtype(Dtype dtype);

struct AttentionShape {
  int32_t query_heads = 8;
  int32_t kv_heads = 8;         // divides query_heads (grouped-query attention)
  int32_t head_dim = 64;        // of Q and K
  int32_t value_head_dim = 64;  // of V and O
  Dtype dtype = Dtype::float32;
  int64_t hidden_size = 0;  // of the layer around the attention; 0: attention alone
  int64_t ffn_size = 0;
  bool operator==(const AttentionShape&) const = default;
};

// Forward FLOPs per token of the layer around the attention: projections of Q, K, V and O, and a
// gated FFN (three matrices). 0 without a layer.
double layer_flops_per_token(const AttentionShape& shape);

// Consecutive ranks fill a node. Strategies may read the numbers, but never time anything.
struct Cluster {
  std::string name = "threads";
  int32_t nodes = 1;
  int32_t gpus_per_node = 1;
  double peak_flops_per_second = 0;        // per GPU, dense, in the shape's dtype; 0: unknown
  double memory_bytes = 0;                 // per GPU; 0: unlimited
  double memory_bytes_per_second = 0;      // per GPU; 0: unknown
  double intra_node_bytes_per_second = 0;  // per GPU and direction; 0: unknown
  double inter_node_bytes_per_second = 0;  // per GPU and direction; 0: unknown

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

// Throws UserError (errors.h) that names the field, its value and what would be right.
void validate(const Problem& problem);

}  // namespace cpbench
