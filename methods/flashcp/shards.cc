#include "methods/flashcp/shards.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace cpbench::flashcp {
namespace {

int64_t pairs_of(const DocumentRule& rule, Range queries, int64_t document_tokens) {
  const auto triangle = [](int64_t n) { return n * (n + 1) / 2; };
  switch (rule.mask) {
    case Mask::document_full:
      return queries.size() * document_tokens;
    case Mask::sliding_window: {
      const auto before = [&](int64_t query) {
        const int64_t full = std::max<int64_t>(0, query - rule.window);
        return triangle(query - full) + full * rule.window;
      };
      return before(queries.end) - before(queries.begin);
    }
    default:  // s (2p + s + 1) / 2 in the paper
      return triangle(queries.end) - triangle(queries.begin);
  }
}

}  // namespace

Shards normal_form(Shards shards) {
  std::sort(shards.begin(), shards.end(), [](const Shard& a, const Shard& b) {
    return std::tie(a.document, a.begin) < std::tie(b.document, b.begin);
  });
  size_t kept = 0;
  for (const Shard& shard : shards) {
    Shard* last = kept > 0 ? &shards[kept - 1] : nullptr;
    if (last && last->document == shard.document && last->rank == shard.rank) {
      last->end = shard.end;
    } else {
      shards[kept++] = shard;
    }
  }
  shards.resize(kept);
  return shards;
}

Visibility::Visibility(const Batch& batch)
    : mask_(batch.mask), window_(batch.window), work_masks_(batch.layer_masks) {
  if (work_masks_.empty()) work_masks_ = {{{mask_, window_}}};
}

std::vector<int64_t> Visibility::documents(const Batch& batch) const {
  if (mask_ == Mask::causal) return {batch.tokens()};
  std::vector<int64_t> lengths = batch.document_lengths;
  std::erase(lengths, 0);
  return lengths;
}

Range Visibility::keys(Range queries, int64_t document_tokens) const {
  switch (mask_) {
    case Mask::document_full:
      return {0, document_tokens};
    case Mask::sliding_window:
      return {std::max<int64_t>(0, queries.begin - window_ + 1), queries.end};
    default:
      return {0, queries.end};
  }
}

int64_t Visibility::work(Range queries, int64_t document_tokens) const {
  int64_t total = 0;
  for (const auto& [rule, layers] : work_masks_) {
    total += layers * pairs_of(rule, queries, document_tokens);
  }
  return total;
}

Range Visibility::sent_part(DocumentShards document, size_t index) const {
  const Shard& shard = document[index];
  if (mask_ == Mask::document_full) {
    return document.size() == 1 ? Range{} : Range{shard.begin, shard.end};
  }
  if (index + 1 == document.size()) return {};
  if (mask_ == Mask::sliding_window) {
    // The next shard is on another rank and begins at `end`. No later shard sees further back.
    const int64_t begin = std::max(shard.begin, shard.end - window_ + 1);
    return begin < shard.end ? Range{begin, shard.end} : Range{};
  }
  return {shard.begin, shard.end};
}

double Load::imbalance() const {
  const int64_t total = std::accumulate(work.begin(), work.end(), int64_t{0});
  if (total == 0) return 1;
  const int64_t max = *std::max_element(work.begin(), work.end());
  return static_cast<double>(max) * static_cast<double>(work.size()) / static_cast<double>(total);
}

int64_t Load::padded_tokens() const {
  return *std::max_element(sent_tokens.begin(), sent_tokens.end());
}

double Load::saving() const {
  if (total_tokens == 0) return 0;
  return 1 - static_cast<double>(padded_tokens()) * static_cast<double>(tokens.size()) /
                 static_cast<double>(total_tokens);
}

Load load_of(const Shards& shards, const std::vector<int64_t>& documents, int32_t ranks,
             const Visibility& sees) {
  Load load{std::vector<int64_t>(ranks), std::vector<int64_t>(ranks), std::vector<int64_t>(ranks)};
  for_each_document(shards, [&](DocumentShards document) {
    for (size_t i = 0; i < document.size(); ++i) {
      const Shard& shard = document[i];
      load.tokens[shard.rank] += shard.tokens();
      load.work[shard.rank] += sees.work({shard.begin, shard.end}, documents[shard.document]);
      load.sent_tokens[shard.rank] += sees.sent_part(document, i).size();
      load.total_tokens += shard.tokens();
    }
  });
  return load;
}

}  // namespace cpbench::flashcp
