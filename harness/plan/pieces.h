// The ranges of many sets in the order in which they begin, in linear time and little memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

struct Piece {
  Range range;
  SetId set;
};

// Calls visit(piece) for all ranges of the listed sets, by their begin. The pieces that begin in
// one window of tokens are sorted together, by counting if they are many. A set takes part from the
// window of its first range on.
template <typename Visit>
void for_each_piece(const RangeSets& sets, const std::vector<SetId>& list, const Visit& visit) {
  constexpr int64_t kFewestTokens = 1 << 12, kMostTokens = 1 << 16;  // of a window
  struct Rest {  // what was not visited yet of a set
    RangeSpan ranges;
    SetId set;
    int64_t begin() const { return ranges.front().begin; }
  };
  std::vector<Rest> all, open;
  for (SetId id : list) {
    if (!sets[id].empty()) all.push_back({sets[id], id});
  }
  std::ranges::sort(all, {}, &Rest::begin);
  auto next = all.begin();
  std::vector<Piece> window, sorted;
  std::vector<int32_t> places;            // by token: of its first piece in the window
  int64_t window_tokens = kFewestTokens;  // many pieces of a small window stay in cache
  while (!open.empty() || next != all.end()) {
    int64_t first = next != all.end() ? next->begin() : open.front().begin();
    for (const Rest& rest : open) first = std::min(first, rest.begin());
    const int64_t end = first + window_tokens;
    for (; next != all.end() && next->begin() < end; ++next) open.push_back(*next);
    window.clear();
    for (Rest& rest : open) {
      for (; !rest.ranges.empty() && rest.begin() < end; rest.ranges = rest.ranges.subspan(1)) {
        window.push_back({rest.ranges.front(), rest.set});
      }
    }
    // Each window looks at all open sets, so it should have as many pieces.
    const bool few = std::ssize(window) < std::ssize(open);
    const int64_t tokens = std::exchange(
        window_tokens, few ? std::min(2 * window_tokens, kMostTokens) : kFewestTokens);
    std::erase_if(open, [](const Rest& rest) { return rest.ranges.empty(); });
    if (std::ssize(window) < tokens / 64) {
      std::ranges::sort(window, {}, [](const Piece& piece) { return piece.range.begin; });
      for (const Piece& piece : window) visit(piece);
      continue;
    }
    places.assign(tokens + 1, 0);
    for (const Piece& piece : window) ++places[piece.range.begin - first + 1];
    for (int64_t t = 0; t < tokens; ++t) places[t + 1] += places[t];
    sorted.resize(window.size());
    for (const Piece& piece : window) sorted[places[piece.range.begin - first]++] = piece;
    for (const Piece& piece : sorted) visit(piece);
  }
}

}  // namespace cpbench
