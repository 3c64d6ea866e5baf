#include "harness/plan/pieces.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

// Sets of many and of few ranges over several windows, some of which no range begins in.
TEST(Pieces, come_in_the_order_of_a_sort) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20; ++round) {
    RangeSets sets;
    std::vector<SetId> list;
    std::vector<std::pair<int64_t, SetId>> sorted;
    for (int i = 0; i < 12; ++i) {
      const int64_t gap = int64_t{1} << (random() % 15);
      Ranges own;
      for (auto at = static_cast<int64_t>(random() % 20'000); at < 40'000;) {
        const auto size = static_cast<int64_t>(1 + random() % (2 * gap));
        extend(own, {at, at + size});
        at += size + 1 + static_cast<int64_t>(random() % gap);
      }
      list.push_back(sets.intern(std::move(own)));
      for (const Range& range : sets[list.back()]) sorted.emplace_back(range.begin, list.back());
    }
    std::ranges::sort(sorted);
    std::vector<std::pair<int64_t, SetId>> visited;
    for_each_piece(sets, list, [&](const Piece& piece) {
      EXPECT_TRUE(contains(sets[piece.set], piece.range));
      EXPECT_LE(visited.empty() ? 0 : visited.back().first, piece.range.begin);
      visited.emplace_back(piece.range.begin, piece.set);
    });
    std::ranges::sort(visited);
    EXPECT_EQ(visited, sorted);
  }
}

}  // namespace
}  // namespace cpbench
