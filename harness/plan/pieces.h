// The ranges of many sets in the order in which they begin, in linear time and little memory.
#pragma once

#include <algorithm>
#include <cstdint>
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
  constexpr int64_t kWindowTokens = 1 << 12;  // what is sorted together stays in the L1 or L2
  struct Rest {                               // what was not visited yet of a set
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
  std::vector<Piece> window;
  std::vector<int32_t> places(kWindowTokens + 1);  // by token: of its first piece in the window
  while (!open.empty() || next != all.end()) {
    int64_t first = next != all.end() ? next->begin() : open.front().begin();
    for (const Rest& rest : open) first = std::min(first, rest.begin());
    const int64_t end = first + kWindowTokens;
    for (; next != all.end() && next->begin() < end; ++next) open.push_back(*next);
    size_t pieces = 0;
    for (const Rest& rest : open) {
      for (auto range = rest.ranges.begin(); range != rest.ranges.end() && range->begin < end;
           ++range) {
        ++places[range->begin - first + 1];
        ++pieces;
      }
    }
    const bool many = pieces >= kWindowTokens / 64;
    if (many) {
      for (int64_t t = 0; t < kWindowTokens; ++t) places[t + 1] += places[t];
    }
    window.resize(pieces);
    size_t place = 0;
    for (Rest& rest : open) {
      auto range = rest.ranges.begin();
      for (; range != rest.ranges.end() && range->begin < end; ++range) {
        int32_t& of_token = places[range->begin - first + (many ? 0 : 1)];
        window[many ? of_token++ : place++] = {*range, rest.set};
        if (!many) of_token = 0;
      }
      rest.ranges = {range, rest.ranges.end()};
    }
    if (many) {
      std::ranges::fill(places, 0);
    } else {
      std::ranges::sort(window, {}, [](const Piece& piece) { return piece.range.begin; });
    }
    std::erase_if(open, [](const Rest& rest) { return rest.ranges.empty(); });
    for (const Piece& piece : window) visit(piece);
  }
}

}  // namespace cpbench
