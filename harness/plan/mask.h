// What each query sees, and how many (query, key) pairs the mask has.
//
//   MaskIndex mask(batch);
//   mask.visible_keys(5);            // a range; empty for a cached token
//   mask.pairs(queries, keys);       // visible pairs of two token sets
#pragma once

#include <algorithm>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

// The boundaries of the documents with O(log n) look-up, built once per batch. Cached tokens see
// nothing, so everything here that goes over queries leaves them out.
class MaskIndex {
 public:
  explicit MaskIndex(const Batch& batch);

  int64_t tokens() const { return starts_.back(); }
  int32_t documents() const { return static_cast<int32_t>(starts_.size()) - 1; }
  int32_t document_of(int64_t token) const;
  Range document(int32_t index) const { return {starts_[index], starts_[index + 1]}; }

  // The tokens that have a query, of the batch and of one document.
  const Ranges& new_tokens() const { return new_tokens_; }
  Range new_tokens(int32_t document) const {
    return {starts_[document] + (cached_.empty() ? 0 : cached_[document]), starts_[document + 1]};
  }

  Range visible_keys(int64_t query) const;  // empty for a cached token
  // Queries of one block (the whole pack for `causal`, otherwise one document) see only keys of
  // that block. `queries` must lie inside one block and none may be cached. The union of their
  // visible keys is one range, the hull.
  Range block_of(int64_t token) const;
  Range visible_hull(Range queries) const { return visible_hull(queries, block_of(queries.begin)); }
  Range visible_hull(Range queries, Range block) const;

  int64_t pairs() const;                                   // of the whole mask
  int64_t pairs(RangeSpan queries) const;                  // with all keys that they see
  int64_t pairs(RangeSpan queries, RangeSpan keys) const;  // with the visible ones of `keys`

  // Calls visit(piece, block) for the pieces of `queries` that lie in one block each, in order and
  // without cached tokens.
  template <typename Visit>
  void for_each_block(RangeSpan queries, Visit visit) const {
    if (mask_ == Mask::causal) {
      if (cached_.empty()) {
        for (const Range& range : queries) visit(range, Range{0, tokens()});
      } else {
        for (const Range& range : intersect(queries, new_tokens_)) visit(range, Range{0, tokens()});
      }
      return;
    }
    int32_t index = 0;
    for (Range range : queries) {
      // Usually this is the same document as before or one of the next; otherwise it is looked up.
      for (int tries = 0; tries < 4 && starts_[index + 1] <= range.begin; ++tries) ++index;
      if (starts_[index + 1] <= range.begin) index = document_of(range.begin);
      while (range.begin < range.end) {
        int64_t end = starts_[index + 1] < range.end ? starts_[index + 1] : range.end;
        int64_t begin = std::max(range.begin, new_tokens(index).begin);
        if (begin < end) visit(Range{begin, end}, document(index));
        range.begin = end;
        if (range.begin < range.end) ++index;
      }
    }
  }

  Mask mask() const { return mask_; }
  int64_t window() const { return window_; }

 private:
  int64_t pairs(Range queries, Range keys) const;  // visible pairs; both lie in one block

  Mask mask_;
  int64_t window_;
  std::vector<int64_t> starts_;  // documents() + 1
  std::vector<int64_t> cached_;  // per document; empty if none is cached
  Ranges new_tokens_;
};

}  // namespace cpbench
