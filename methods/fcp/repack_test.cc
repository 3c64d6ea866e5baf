#include "methods/fcp/repack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "methods/fcp/bounds.h"

namespace cpbench::fcp {
namespace {

Unit unit(int64_t size, int64_t pairs) { return {-1, {{0, size}}, size, pairs}; }

Placement placed(const std::vector<Unit>& units, std::vector<int32_t> rank_of, int32_t ranks) {
  Placement placement{std::move(rank_of), std::vector<int64_t>(ranks, 0),
                      std::vector<int64_t>(ranks, 0)};
  for (size_t u = 0; u < units.size(); ++u) {
    placement.tokens[placement.rank_of[u]] += units[u].size;
    placement.pairs[placement.rank_of[u]] += units[u].pairs;
  }
  return placement;
}

TEST(FcpRepack, NeverWorseNeverAboveTheLimitAndBooksAreRight) {
  std::mt19937_64 random(31);
  int better = 0;
  for (int i = 0; i < 60; ++i) {
    const auto ranks = static_cast<int32_t>(1 + random() % 8);
    std::vector<Unit> units;
    std::vector<int32_t> rank_of;
    for (uint64_t n = random() % 40; n > 0; --n) {
      units.push_back(
          unit(static_cast<int64_t>(1 + random() % 8), 1 + static_cast<int64_t>(random() % 300)));
      rank_of.push_back(static_cast<int32_t>(random() % ranks));
    }
    const Placement before = placed(units, rank_of, ranks);
    const int64_t limit = *std::max_element(before.tokens.begin(), before.tokens.end());
    Placement after = before, again = before;
    repack(units, limit, 0, after);
    repack(units, limit, 0, again);
    EXPECT_EQ(after.rank_of, again.rank_of);
    const Placement counted = placed(units, after.rank_of, ranks);
    EXPECT_EQ(counted.pairs, after.pairs);
    EXPECT_EQ(counted.tokens, after.tokens);
    for (int64_t tokens : after.tokens) EXPECT_LE(tokens, limit);
    EXPECT_LE(after.most_pairs(), before.most_pairs());
    EXPECT_GE(after.most_pairs(), least_work(units, ranks, limit));
    better += after.most_pairs() < before.most_pairs();
  }
  EXPECT_GT(better, 40);
}

// 50 + 50, 40 + 30 + 30 twice: from 50 + 40, 50 + 40, 30 * 4 no exchange of one unit for one or two
// lowers the 120 to 100.
TEST(FcpRepack, FindsWhatTradesOfSingleUnitsDoNot) {
  const std::vector<Unit> units = {unit(1, 50), unit(1, 50), unit(1, 40), unit(1, 40),
                                   unit(1, 30), unit(1, 30), unit(1, 30), unit(1, 30)};
  Placement placement = placed(units, {0, 1, 0, 1, 2, 2, 2, 2}, 3);
  repack(units, 4, 100, placement);
  EXPECT_EQ(placement.most_pairs(), 100);
}

TEST(FcpRepack, StopsAtEnough) {
  const std::vector<Unit> units = {unit(1, 5), unit(1, 5)};
  Placement placement = placed(units, {0, 0}, 2);
  repack(units, 2, 10, placement);
  EXPECT_EQ(placement.rank_of, (std::vector<int32_t>{0, 0}));
  repack(units, 2, 9, placement);
  EXPECT_EQ(placement.most_pairs(), 5);
}

}  // namespace
}  // namespace cpbench::fcp
