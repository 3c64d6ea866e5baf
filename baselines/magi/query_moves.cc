#include "baselines/magi/query_moves.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace cpbench::magi {
namespace {

// Upstream's unbalance_rate.
constexpr double kMostWork = 1.1;

// The parts of one block (a document, a tree of documents or the pack) that one rank owns.
struct Share {
  int32_t rank = 0;
  Ranges keys;
  std::vector<Range> pieces;  // of queries, each in one document
  // What the first pieces see, by their number, and what each piece sees.
  std::vector<Ranges> seen_by_first, seen_by;
};

std::vector<std::vector<Share>> shares_by_block(const MaskIndex& mask,
                                                const std::vector<Ranges>& homes) {
  const std::vector<Range> blocks = mask.blocks();
  std::vector<std::vector<Share>> shares(blocks.size());
  for (size_t r = 0; r < homes.size(); ++r) {
    size_t block = 0;
    for (Range left : homes[r]) {
      while (left.size() > 0) {
        while (blocks[block].end <= left.begin) ++block;
        std::vector<Share>& all = shares[block];
        if (all.empty() || all.back().rank != static_cast<int32_t>(r)) {
          all.push_back({.rank = static_cast<int32_t>(r)});
        }
        const int64_t end = std::min(left.end, blocks[block].end);
        all.back().keys.push_back({left.begin, end});
        left.begin = end;
      }
    }
  }
  std::erase_if(shares, [](const auto& all) { return all.size() < 2; });
  for (std::vector<Share>& all : shares) {
    for (Share& share : all) {
      mask.for_each_document(share.keys,
                             [&](Range piece, int32_t) { share.pieces.push_back(piece); });
      share.seen_by_first.emplace_back();
      for (const Range& piece : share.pieces) {
        share.seen_by.push_back(mask.keys_seen({&piece, 1}));
        share.seen_by_first.push_back(unite(share.seen_by_first.back(), share.seen_by.back()));
      }
    }
  }
  return shares;
}

struct Candidate {
  int64_t saved_bytes = 0;
  QueryMove move;
};

// How many of the last pieces to move, so that the queries that move and the keys that the others
// need take the fewest bytes; of equal ones the fewest pieces.
Candidate best_of(const Share& from, const Share& to, MoveBytes bytes) {
  const auto keys_of_first = [&](size_t pieces) {
    return bytes.per_key * size_of_intersection(from.seen_by_first[pieces], to.keys);
  };
  const int64_t all_keys = keys_of_first(from.pieces.size());
  Candidate best{.saved_bytes = 0, .move = {from.rank, to.rank, {}}};
  Ranges moved;
  int64_t moved_bytes = 0;
  for (size_t first = from.pieces.size(); first-- > 0 && moved_bytes < all_keys;) {
    if (size_of_intersection(from.seen_by[first], to.keys) == 0) continue;
    moved.push_back(from.pieces[first]);
    moved_bytes += bytes.per_query * from.pieces[first].size();
    const int64_t saved = all_keys - keys_of_first(first) - moved_bytes;
    if (saved <= best.saved_bytes) continue;
    best.saved_bytes = saved;
    best.move.queries = moved;
  }
  return best;
}

}  // namespace

std::vector<QueryMove> query_moves(const MaskIndex& mask, const std::vector<Ranges>& homes,
                                   MoveBytes bytes) {
  std::vector<Candidate> candidates;
  for (const std::vector<Share>& shares : shares_by_block(mask, homes)) {
    for (const Share& from : shares) {
      for (const Share& to : shares) {
        if (from.rank == to.rank) continue;
        Candidate best = best_of(from, to, bytes);
        if (best.saved_bytes > 0) candidates.push_back(std::move(best));
      }
    }
  }
  std::ranges::stable_sort(candidates, std::greater(), &Candidate::saved_bytes);

  std::vector<int64_t> work;
  for (const Ranges& home : homes) work.push_back(mask.work(home));
  const double mean = static_cast<double>(std::accumulate(work.begin(), work.end(), int64_t{0})) /
                      static_cast<double>(homes.size());
  const auto most = std::max(static_cast<int64_t>(kMostWork * mean), std::ranges::max(work));
  std::map<std::pair<int32_t, int32_t>, Ranges> moved;
  for (Candidate& candidate : candidates) {
    auto& [from, to, queries] = candidate.move;
    queries = normalise(std::move(queries));
    const int64_t moves = mask.work(queries, homes[to]);
    if (work[to] + moves > most) continue;
    work[from] -= moves;
    work[to] += moves;
    Ranges& all = moved[{from, to}];
    all.insert(all.end(), queries.begin(), queries.end());
  }
  std::vector<QueryMove> moves;
  for (auto& [pair, queries] : moved) {
    moves.push_back({pair.first, pair.second, normalise(std::move(queries))});
  }
  return moves;
}

std::vector<Ranges> needed_keys(const MaskIndex& mask, const std::vector<Ranges>& homes,
                                const std::vector<QueryMove>& moves) {
  std::vector<Ranges> needed;
  for (const Ranges& home : homes) needed.push_back(mask.keys_seen(home));
  for (const auto& [from, to, queries] : moves) {
    const Ranges still = intersect(mask.keys_seen(subtract(homes[from], queries)), homes[to]);
    needed[from] = unite(subtract(needed[from], homes[to]), still);
  }
  return needed;
}

}  // namespace cpbench::magi
