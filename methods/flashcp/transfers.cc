#include "methods/flashcp/transfers.h"

#include <algorithm>

namespace cpbench::flashcp {
namespace {

// Adds one rank to a set of ranks in normal form.
void insert_rank(Ranges& set, int64_t rank) {
  auto after = std::lower_bound(set.begin(), set.end(), rank,
                                [](const Range& range, int64_t r) { return range.end < r; });
  // `after` is the first range that ends at `rank` or later.
  if (after == set.end() || after->begin > rank + 1) {
    set.insert(after, {rank, rank + 1});
  } else if (after->begin == rank + 1) {
    after->begin = rank;
  } else if (after->end == rank) {
    after->end = rank + 1;
    const auto next = after + 1;
    if (next != set.end() && next->begin == rank + 1) {
      after->end = next->end;
      set.erase(next);
    }
  }
}

// Under a sliding window, the shards that see a token of shard k are the next few; the nearer the
// token is to the end of k, the more of them see it. So this goes through the tokens of k in order,
// and adds shards on the way.
void window_multicasts(DocumentShards document, size_t k, int64_t document_tokens, int64_t start,
                       const Visibility& sees, std::vector<Multicast>& out) {
  const Shard& shard = document[k];
  Ranges to;
  size_t next = k + 1;
  const auto first_seen = [&](size_t index) {
    const Shard& other = document[index];
    return std::max(shard.begin, sees.keys({other.begin, other.end}, document_tokens).begin);
  };
  int64_t begin = next < document.size() ? first_seen(next) : shard.end;
  while (begin < shard.end) {
    insert_rank(to, document[next].rank);
    ++next;
    const int64_t end = next < document.size() ? std::min(shard.end, first_seen(next)) : shard.end;
    if (begin < end) {
      out.push_back({shard.rank, to, {start + begin, start + end}});
    }
    begin = end;
  }
}

}  // namespace

std::vector<Ranges> sent_tokens(const Shards& shards, const std::vector<int64_t>& starts,
                                int32_t ranks, const Visibility& sees) {
  std::vector<Ranges> sent(ranks);
  for_each_document(shards, [&](DocumentShards document) {
    const int64_t start = starts[document.front().document];
    for (size_t i = 0; i < document.size(); ++i) {
      const Range part = sees.sent_part(document, i);
      if (part.size() > 0) {
        sent[document[i].rank].push_back({start + part.begin, start + part.end});
      }
    }
  });
  for (Ranges& ranges : sent) ranges = normalise(std::move(ranges));
  return sent;
}

std::vector<Multicast> exact_multicasts(const Shards& shards, const std::vector<int64_t>& documents,
                                        const std::vector<int64_t>& starts,
                                        const Visibility& sees) {
  std::vector<Multicast> out;
  for_each_document(shards, [&](DocumentShards document) {
    if (document.size() == 1) return;
    const int64_t start = starts[document.front().document];
    const size_t first_of_document = out.size();
    Ranges to;
    if (sees.mask() == Mask::document_full) {
      for (const Shard& shard : document) insert_rank(to, shard.rank);
    }
    for (size_t k = document.size(); k-- > 0;) {
      const Shard& shard = document[k];
      if (sees.mask() == Mask::sliding_window) {
        // The parts of one shard come in token order, but shards come backwards, so the parts are
        // reversed.
        const size_t first_of_shard = out.size();
        window_multicasts(document, k, documents[shard.document], start, sees, out);
        std::reverse(out.begin() + static_cast<int64_t>(first_of_shard), out.end());
        continue;
      }
      if (!to.empty()) {
        out.push_back({shard.rank, to, {start + shard.begin, start + shard.end}});
      }
      if (sees.mask() != Mask::document_full) insert_rank(to, shard.rank);
    }
    std::reverse(out.begin() + static_cast<int64_t>(first_of_document), out.end());
  });
  return out;
}

}  // namespace cpbench::flashcp
