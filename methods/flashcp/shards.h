// Shards of documents on ranks: what their queries see, what they cost, and what other ranks need
// of them.
//
//   Visibility sees(batch);                       // the mask, inside one document
//   std::vector<int64_t> documents = sees.documents(batch);
//   sees.work({4, 6}, 10) == 5 + 6                // causal: queries 4 and 5 of a document of 10
//
// Positions in a shard count from the start of its document, so `begin` is the paper's prefix
// length p and `end - begin` its s (section 3). Work is in (query, key) pairs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench::flashcp {

struct Shard {
  int32_t document = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int32_t rank = 0;
  int64_t tokens() const { return end - begin; }
  bool operator==(const Shard&) const = default;
};

// A placement in normal form is sorted by (document, begin) and covers every document, and no two
// neighbouring shards of a document are on the same rank.
using Shards = std::vector<Shard>;
using DocumentShards = std::span<const Shard>;  // all shards of one document

Shards normal_form(Shards shards);

// Splits a placement in normal form by document, and calls visit(DocumentShards) for each.
template <typename Visit>
void for_each_document(const Shards& shards, Visit visit) {
  for (size_t first = 0; first < shards.size();) {
    size_t last = first;
    while (last < shards.size() && shards[last].document == shards[first].document) ++last;
    visit(DocumentShards(shards.data() + first, last - first));
    first = last;
  }
}

// The mask of a batch, seen from inside one document. `causal` over the pack is document-causal
// with the pack as its only document.
class Visibility {
 public:
  explicit Visibility(const Batch& batch);

  std::vector<int64_t> documents(const Batch& batch) const;  // lengths, in tokens
  Range keys(Range queries, int64_t document_tokens) const;
  // With masks of several layers (Batch::layer_masks), the sum of their pairs.
  int64_t work(Range queries, int64_t document_tokens) const;
  // The part of shard `index` that shards on other ranks see.
  Range sent_part(DocumentShards document, size_t index) const;
  Mask mask() const { return mask_; }

 private:
  Mask mask_;
  int64_t window_;
  std::vector<LayerMask> work_masks_;
};

// What each rank has in a placement.
struct Load {
  std::vector<int64_t> tokens;
  std::vector<int64_t> work;
  std::vector<int64_t> sent_tokens;  // those that other ranks see
  int64_t total_tokens = 0;

  double imbalance() const;       // max / mean of work
  int64_t padded_tokens() const;  // the paper's B, the maximum of sent_tokens
  double saving() const;          // 1 - B / (T / N)
};

Load load_of(const Shards& shards, const std::vector<int64_t>& documents, int32_t ranks,
             const Visibility& sees);

}  // namespace cpbench::flashcp
