#include "harness/plan/mask.h"

#include <algorithm>

namespace cpbench {
namespace {

// The number of pairs (q, k) of a query and a key with k <= q.
int64_t causal_pairs(Range queries, Range keys) {
  auto below = [&keys](int64_t end) {  // pairs with q < end
    if (end <= keys.begin) return int64_t{0};
    int64_t triangle = std::min(end, keys.end) - keys.begin;
    int64_t rectangle = std::max<int64_t>(0, end - keys.end) * keys.size();
    return triangle * (triangle + 1) / 2 + rectangle;
  };
  return below(queries.end) - below(queries.begin);
}

}  // namespace

MaskIndex::MaskIndex(const Batch& batch)
    : mask_(batch.mask), window_(batch.window), cached_(batch.cached_tokens) {
  starts_.reserve(batch.document_lengths.size() + 1);
  starts_.push_back(0);
  for (int64_t length : batch.document_lengths) starts_.push_back(starts_.back() + length);
  if (cached_.empty()) {
    new_tokens_ = {{0, tokens()}};
    return;
  }
  for (int32_t d = 0; d < documents(); ++d) new_tokens_.push_back(new_tokens(d));
  new_tokens_ = normalise(std::move(new_tokens_));
}

int32_t MaskIndex::document_of(int64_t token) const {
  auto after = std::upper_bound(starts_.begin(), starts_.end(), token);
  return static_cast<int32_t>(after - starts_.begin()) - 1;
}

Range MaskIndex::block_of(int64_t token) const {
  if (mask_ == Mask::causal) return {0, tokens()};
  return document(document_of(token));
}

Range MaskIndex::visible_keys(int64_t query) const {
  if (!contains(new_tokens_, {query, query + 1})) return {query, query};
  return visible_hull({query, query + 1});
}

Range MaskIndex::visible_hull(Range queries, Range block) const {
  switch (mask_) {
    case Mask::document_full:
      return block;
    case Mask::sliding_window:
      return {std::max(block.begin, queries.begin - window_ + 1), queries.end};
    case Mask::document_causal:
    case Mask::causal:
      break;
  }
  return {block.begin, queries.end};
}

int64_t MaskIndex::pairs(Range queries, Range keys) const {
  if (mask_ == Mask::document_full) return queries.size() * keys.size();
  int64_t count = causal_pairs(queries, keys);
  if (mask_ == Mask::sliding_window) {
    count -= causal_pairs(queries, {keys.begin + window_, keys.end + window_});
  }
  return count;
}

int64_t MaskIndex::pairs() const {
  Range all{0, tokens()};
  return pairs({&all, 1});
}

int64_t MaskIndex::pairs(RangeSpan queries) const {
  int64_t total = 0;
  for_each_block(queries, [&](Range piece, Range block) { total += pairs(piece, block); });
  return total;
}

int64_t MaskIndex::pairs(RangeSpan queries, RangeSpan keys) const {
  int64_t total = 0;
  for_each_block(queries, [&](Range piece, Range block) {
    Range hull = visible_hull(piece, block);
    if (contains(keys, hull)) {
      total += pairs(piece, block);
      return;
    }
    for (const Range& part : intersect(RangeSpan(&hull, 1), keys)) total += pairs(piece, part);
  });
  return total;
}

}  // namespace cpbench
