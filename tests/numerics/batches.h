// Adversarial batches: what went wrong elsewhere, small enough to run everywhere.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench {

struct NamedLengths {
  std::string name;
  std::vector<int64_t> lengths;
};

inline const std::vector<NamedLengths>& adversarial_lengths() {
  static const std::vector<NamedLengths> all = {
      {"one_token", {1}},
      {"documents_of_one_token", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
      {"odd_and_prime", {7, 1, 13, 2, 29, 11}},
      {"giant", {61}},
      {"giant_among_small", {2, 1, 53, 1, 3}},
      {"two_documents", {16, 16}},  // more ranks than documents
  };
  return all;
}

struct NamedCached {
  std::string name;
  std::vector<int64_t> lengths, cached;
};

inline const std::vector<NamedCached>& cached_batches() {
  static const std::vector<NamedCached> all = {
      {"decoding", {40}, {39}},
      {"prefix_of_each", {7, 1, 13, 2, 29, 11}, {3, 0, 12, 1, 17, 0}},
      {"documents_without_queries", {9, 21, 1, 6}, {9, 5, 1, 6}},
  };
  return all;
}

inline const std::vector<Mask>& all_masks() {
  static const std::vector<Mask> all = {Mask::document_causal, Mask::causal, Mask::document_full,
                                        Mask::sliding_window};
  return all;
}

// Multi-head and grouped-query attention, heads enough for 8 ranks.
inline std::vector<AttentionShape> small_shapes(Dtype dtype) {
  return {{.query_heads = 8, .kv_heads = 8, .head_dim = 4, .value_head_dim = 4, .dtype = dtype},
          {.query_heads = 8, .kv_heads = 2, .head_dim = 4, .value_head_dim = 4, .dtype = dtype}};
}

}  // namespace cpbench
