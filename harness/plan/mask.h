// What each query sees, and how many (query, key) pairs the mask has.
//
//   MaskIndex mask(batch);
//   mask.visible_keys(5);            // a few ranges; none for a cached token
//   mask.keys_seen({{4, 9}});        // all keys that some of these queries see
//   mask.pairs(queries, keys);       // visible pairs of two token sets
//
// A query sees the whole ranges of its document's ancestors, and one range of its own document. As
// rectangles of queries and keys, this is a list of parts, each in one of the three forms that
// attention kernels know. The rules of documents are spelled out here and nowhere else.
#pragma once

#include <algorithm>
#include <optional>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

enum class PartForm : uint8_t {
  full,    // each query sees all keys
  causal,  // each query sees the keys up to its own token, and the last key is the last query
  band,    // as causal, but of those keys only the latest `window`
};

// Consecutive queries of one document over consecutive keys, each of which some query sees.
struct MaskPart {
  Range queries;
  Range keys;
  PartForm form = PartForm::full;
  int64_t window = 0;  // of a band, in tokens
};

// The boundaries of the documents with O(log n) look-up, built once per batch. With mask causal the
// whole pack is one document. Cached tokens see nothing, so everything here that goes over queries
// leaves them out.
class MaskIndex {
 public:
  explicit MaskIndex(const Batch& batch);

  int64_t tokens() const { return starts_.back(); }
  int32_t documents() const { return static_cast<int32_t>(starts_.size()) - 1; }
  Range document(int32_t index) const { return {starts_[index], starts_[index + 1]}; }
  int32_t document_of(int64_t token) const;
  // The rule of all documents, if it is the same and none has a parent.
  std::optional<Mask> only_rule() const {
    if (!above_.empty() || rules_.size() > 1) return std::nullopt;
    return rules_.front().mask;
  }
  // The smallest runs of whole documents of which no query sees out or is seen from outside, in
  // token order: trees, where the documents of one tree follow one another, and single documents.
  std::vector<Range> blocks() const;

  const Ranges& new_tokens() const { return new_tokens_; }  // those that have a query

  Ranges visible_keys(int64_t query) const;
  Ranges keys_seen(RangeSpan queries) const;

  int64_t pairs() const;                                   // of the whole mask
  int64_t pairs(RangeSpan queries) const;                  // with all keys that they see
  int64_t pairs(RangeSpan queries, RangeSpan keys) const;  // with the visible ones of `keys`

  // What a strategy balances: the pairs, or with masks of several layers (Batch::layer_masks) the
  // sum of their pairs, each as often as it has layers.
  int64_t layers() const;  // in that sum; 1 if there is one mask
  int64_t work(RangeSpan queries) const;
  int64_t work(RangeSpan queries, RangeSpan keys) const;

  // Calls visit(piece, document) for the pieces of `queries` that lie in one document each, in
  // order and without cached tokens.
  template <typename Visit>
  void for_each_document(RangeSpan queries, Visit visit) const;

  // What the queries of one such piece see: all of these keys, and of the range of own keys each
  // key is seen by some of them. Where the ancestors' last range touches the document, and the
  // rule reaches its first token, that range counts as the document's own.
  RangeSpan ancestors(int32_t document) const;
  Range own_keys(Range queries, int32_t document) const;
  template <typename Visit>
  void for_each_own_part(Range queries, int32_t document, Visit visit) const;

  // Calls visit(keys) for each of those ranges, and visit(part) for each part.
  template <typename Visit>
  void for_each_key_range(Range queries, int32_t document, Visit visit) const {
    for (const Range& keys : ancestors(document)) visit(keys);
    visit(own_keys(queries, document));
  }
  template <typename Visit>
  void for_each_part(RangeSpan queries, Visit visit) const {
    for_each_document(queries, [&](Range piece, int32_t document) {
      for (const Range& keys : ancestors(document)) visit(MaskPart{piece, keys});
      for_each_own_part(piece, document, visit);
    });
  }

 private:
  struct Above {
    int32_t list = 0;       // in lists_: the ancestors' ranges
    int32_t count = 0;      // of those that do not count as the document's own
    int64_t own_begin = 0;  // where its own keys begin
  };

  void find_ancestors(const std::vector<int32_t>& parents);
  const DocumentRule& rule_of(int32_t document) const {
    return rules_[rules_.size() == 1 ? 0 : document];
  }
  int64_t first_new(int32_t document) const {
    return starts_[document] + (cached_.empty() ? 0 : cached_[document]);
  }

  std::vector<DocumentRule> rules_;  // of each document, or one for all
  std::vector<int64_t> starts_;      // documents() + 1
  std::vector<int64_t> cached_;      // per document; empty if none is cached, or with mask causal
  std::vector<Above> above_;         // per document; empty if none has a parent
  std::vector<Ranges> lists_;
  std::vector<Range> blocks_;  // empty if none has a parent
  Ranges new_tokens_;
  std::vector<MaskIndex> layer_masks_;  // empty unless the work is that of several masks
  std::vector<int64_t> layers_;         // of each of them
};

template <typename Visit>
void MaskIndex::for_each_document(RangeSpan queries, Visit visit) const {
  if (documents() == 1) {
    if (size_of(new_tokens_) == tokens()) {
      for (const Range& range : queries) visit(range, 0);
    } else {
      for (const Range& range : intersect(queries, new_tokens_)) visit(range, 0);
    }
    return;
  }
  int32_t index = 0;
  for (Range range : queries) {
    // Usually this is the same document as before or one of the next; otherwise it is looked up.
    for (int tries = 0; tries < 4 && starts_[index + 1] <= range.begin; ++tries) ++index;
    if (starts_[index + 1] <= range.begin) index = document_of(range.begin);
    while (range.begin < range.end) {
      const int64_t end = std::min(starts_[index + 1], range.end);
      const int64_t begin = std::max(range.begin, first_new(index));
      if (begin < end) visit(Range{begin, end}, index);
      range.begin = end;
      if (range.begin < range.end) ++index;
    }
  }
}

template <typename Visit>
void MaskIndex::for_each_own_part(Range queries, int32_t document, Visit visit) const {
  const auto [mask, window] = rule_of(document);
  const auto part = [&](Range some, PartForm form) {
    if (some.size() > 0) visit(MaskPart{some, own_keys(some, document), form, 0});
  };
  const int64_t start = starts_[document];
  switch (mask) {
    case Mask::document_full:
      return part(queries, PartForm::full);
    case Mask::sliding_window: {
      const Range keys = own_keys(queries, document);
      if (queries.end - window <= keys.begin) return part(queries, PartForm::causal);
      return visit(MaskPart{queries, keys, PartForm::band, window});
    }
    case Mask::block_causal:
    case Mask::chunked:
      for (Range some = queries; some.begin < queries.end; some.begin = some.end) {
        some.end = std::min(queries.end, start + ((some.begin - start) / window + 1) * window);
        part(some, mask == Mask::chunked ? PartForm::causal : PartForm::full);
      }
      return;
    case Mask::prefix: {
      const int64_t end = std::clamp(start + window, queries.begin, queries.end);
      part({queries.begin, end}, PartForm::full);
      return part({end, queries.end}, PartForm::causal);
    }
    case Mask::document_causal:
    case Mask::causal:
      break;
  }
  part(queries, PartForm::causal);
}

}  // namespace cpbench
