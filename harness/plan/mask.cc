#include "harness/plan/mask.h"

#include <algorithm>
#include <numeric>

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

// The pairs of a part with some of its keys.
int64_t pairs_of(const MaskPart& part, Range keys) {
  if (part.form == PartForm::full) return part.queries.size() * keys.size();
  int64_t count = causal_pairs(part.queries, keys);
  if (part.form == PartForm::band) {
    count -= causal_pairs(part.queries, {keys.begin + part.window, keys.end + part.window});
  }
  return count;
}

// Whether the own keys of every query begin with the document's first token.
bool reaches_start(Mask mask) { return mask != Mask::sliding_window && mask != Mask::chunked; }

}  // namespace

MaskIndex::MaskIndex(const Batch& batch) : rules_(batch.rules) {
  if (rules_.empty()) rules_ = {{batch.mask, batch.window}};
  starts_.reserve(batch.document_lengths.size() + 1);
  starts_.push_back(0);
  for (int64_t length : batch.document_lengths) starts_.push_back(starts_.back() + length);
  cached_ = batch.cached_tokens;
  for (int32_t d = 0; d < documents() && !cached_.empty(); ++d) {
    new_tokens_.push_back({first_new(d), document(d).end});
  }
  new_tokens_ = cached_.empty() ? Ranges{{0, tokens()}} : normalise(std::move(new_tokens_));
  if (batch.mask == Mask::causal) {
    starts_ = {0, tokens()};
    cached_.clear();
  }
  if (!batch.parents.empty()) find_ancestors(batch.parents);
  if (batch.layer_masks.empty()) return;
  for (const auto& [one, layers] : layer_batches(batch)) {
    layer_masks_.emplace_back(one);
    layers_.push_back(layers);
  }
}

void MaskIndex::find_ancestors(const std::vector<int32_t>& parents) {
  std::vector<int32_t> list_below(documents(), 0);  // by parent: the list of its children
  std::vector<int32_t> first_document;              // by block
  lists_ = {{}};
  for (int32_t d = 0; d < documents(); ++d) {
    const int32_t parent = parents[d];
    Above above{.own_begin = starts_[d]};
    blocks_.push_back(document(d));
    first_document.push_back(d);
    if (parent >= 0) {
      if (list_below[parent] == 0) {
        list_below[parent] = static_cast<int32_t>(lists_.size());
        Ranges list = lists_[above_[parent].list];
        list.push_back(document(parent));
        lists_.push_back(normalise(std::move(list)));
      }
      above.list = list_below[parent];
      while (first_document.back() > parent) {
        blocks_.pop_back();
        first_document.pop_back();
      }
      blocks_.back().end = starts_[d + 1];
    }
    const Ranges& list = lists_[above.list];
    above.count = static_cast<int32_t>(list.size());
    if (!list.empty() && list.back().end == starts_[d] && reaches_start(rule_of(d).mask)) {
      above.own_begin = list.back().begin;
      --above.count;
    }
    above_.push_back(above);
  }
}

std::vector<Range> MaskIndex::blocks() const {
  std::vector<Range> all = blocks_;
  for (int32_t d = 0; d < documents() && blocks_.empty(); ++d) all.push_back(document(d));
  std::erase_if(all, [](const Range& block) { return block.size() == 0; });
  return all;
}

int32_t MaskIndex::document_of(int64_t token) const {
  auto after = std::upper_bound(starts_.begin(), starts_.end(), token);
  return static_cast<int32_t>(after - starts_.begin()) - 1;
}

RangeSpan MaskIndex::ancestors(int32_t document) const {
  if (above_.empty()) return {};
  const Above& above = above_[document];
  return RangeSpan(lists_[above.list]).first(above.count);
}

Range MaskIndex::own_keys(Range queries, int32_t document) const {
  const auto [mask, window] = rule_of(document);
  const auto [start, end] = this->document(document);
  const int64_t begin = above_.empty() ? start : above_[document].own_begin;
  switch (mask) {
    case Mask::document_full:
      return {begin, end};
    case Mask::sliding_window:
      return {std::max(start, queries.begin - window + 1), queries.end};
    case Mask::block_causal:
      return {begin, std::min(end, start + ((queries.end - 1 - start) / window + 1) * window)};
    case Mask::chunked:
      return {queries.begin - (queries.begin - start) % window, queries.end};
    case Mask::prefix:
      if (queries.begin >= start + window) break;
      return {begin, std::max(queries.end, std::min(end, start + window))};
    case Mask::document_causal:
    case Mask::causal:
      break;
  }
  return {begin, queries.end};
}

Ranges MaskIndex::visible_keys(int64_t query) const {
  const Range one{query, query + 1};
  return keys_seen({&one, 1});
}

Ranges MaskIndex::keys_seen(RangeSpan queries) const {
  Ranges seen;
  bool ascending = true;
  for_each_document(queries, [&](Range piece, int32_t document) {
    for_each_key_range(piece, document, [&](Range keys) {
      if (seen.empty() || seen.back().begin <= keys.begin) return extend(seen, keys);
      ascending = false;
      seen.push_back(keys);
    });
  });
  return ascending ? seen : normalise(std::move(seen));
}

int64_t MaskIndex::pairs() const {
  Range all{0, tokens()};
  return pairs({&all, 1});
}

int64_t MaskIndex::pairs(RangeSpan queries) const {
  int64_t total = 0;
  for_each_part(queries, [&](const MaskPart& part) { total += pairs_of(part, part.keys); });
  return total;
}

int64_t MaskIndex::pairs(RangeSpan queries, RangeSpan keys) const {
  int64_t total = 0;
  for_each_part(queries, [&](const MaskPart& part) {
    if (contains(keys, part.keys)) {
      total += pairs_of(part, part.keys);
      return;
    }
    for (const Range& some : intersect({&part.keys, 1}, keys)) total += pairs_of(part, some);
  });
  return total;
}

int64_t MaskIndex::layers() const {
  return layers_.empty() ? 1 : std::accumulate(layers_.begin(), layers_.end(), int64_t{0});
}

int64_t MaskIndex::work(RangeSpan queries) const {
  if (layer_masks_.empty()) return pairs(queries);
  int64_t total = 0;
  for (size_t i = 0; i < layers_.size(); ++i) total += layers_[i] * layer_masks_[i].pairs(queries);
  return total;
}

int64_t MaskIndex::work(RangeSpan queries, RangeSpan keys) const {
  if (layer_masks_.empty()) return pairs(queries, keys);
  int64_t total = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    total += layers_[i] * layer_masks_[i].pairs(queries, keys);
  }
  return total;
}

}  // namespace cpbench
