#include "methods/fcp/distribute.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/plan/errors.h"

namespace cpbench::fcp {
namespace {

Unit unit(int64_t size, int64_t pairs) { return {-1, {{0, size}}, size, pairs}; }

int64_t most_pairs(const std::vector<Unit>& units, const std::vector<int32_t>& rank_of,
                   int32_t ranks) {
  std::vector<int64_t> pairs(ranks, 0);
  for (size_t u = 0; u < units.size(); ++u) pairs[rank_of[u]] += units[u].pairs;
  return *std::max_element(pairs.begin(), pairs.end());
}

// Mean 8 pairs and 4 tokens: the 5 leads by its pairs, the others by their tokens, in their order.
TEST(FcpDistribute, LargestFirstToTheLightest) {
  const std::vector<Unit> units = {unit(2, 3), unit(2, 5), unit(2, 4), unit(2, 4)};
  EXPECT_EQ(distribute(units, 2, {.delta = 1}), (std::vector<int32_t>{1, 0, 1, 0}));
  // 9 and 7 pairs; swapping the 4 of the one for the 3 of the other makes it 8 and 8.
  EXPECT_EQ(most_pairs(units, distribute(units, 2, {.delta = 1, .local_search = true}), 2), 8);
}

TEST(FcpDistribute, LocalSearchLowersTheMostWork) {
  std::mt19937_64 random(6);
  int better = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<Unit> units;
    for (int n = 0; n < 24; ++n) units.push_back(unit(4, 1 + static_cast<int64_t>(random() % 90)));
    const DistributeOptions greedy{.delta = 0.5}, searched{.delta = 0.5, .local_search = true};
    const int64_t before = most_pairs(units, distribute(units, 5, greedy), 5);
    const int64_t after = most_pairs(units, distribute(units, 5, searched), 5);
    EXPECT_LE(after, before);
    better += after < before;
  }
  EXPECT_GT(better, 100);
}

TEST(FcpDistribute, WeightsChooseWhatToBalance) {
  // Work 9 in one token, and 9 tokens without work.
  std::vector<Unit> units = {unit(1, 9)};
  for (int i = 0; i < 9; ++i) units.push_back(unit(1, 1));
  const auto tokens_of_first = [&](double alpha, double beta) {
    const std::vector<int32_t> rank_of =
        distribute(units, 2, {.alpha = alpha, .beta = beta, .delta = 1});
    return std::count(rank_of.begin(), rank_of.end(), rank_of[0]);
  };
  EXPECT_EQ(tokens_of_first(1, 0), 5);
  EXPECT_EQ(tokens_of_first(0, 1), 1);
}

TEST(FcpDistribute, NeverAboveTheLimitAndAnEighthIsAlwaysEnough) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) {
    const auto ranks = static_cast<int32_t>(1 + random() % 9);
    std::vector<Unit> units;
    int64_t tokens = 0;
    for (int n = 0; n < 16 * ranks; ++n) {
      const auto size = static_cast<int64_t>(8 + random() % 9);
      units.push_back(unit(size, 1 + static_cast<int64_t>(random() % 1000)));
      tokens += size;
    }
    const DistributeOptions options{.delta = 0.125,
                                    .local_search = true};  // 16 <= 1/8 of at least 16 * 8
    const std::vector<int32_t> rank_of = distribute(units, ranks, options);
    std::vector<int64_t> given(ranks, 0);
    for (size_t u = 0; u < units.size(); ++u) given[rank_of[u]] += units[u].size;
    for (int64_t g : given) EXPECT_LE(g, token_limit(tokens, ranks, options.delta));
  }
}

TEST(FcpDistribute, RefusesWhatCannotBePlaced) {
  EXPECT_THROW(distribute({unit(4, 1), unit(4, 1), unit(4, 1)}, 2, {.delta = 0.125}), Unsupported);
}

TEST(FcpDistribute, TheLimitIsNeverBelowTheMeanRoundedUp) {
  EXPECT_EQ(token_limit(800, 8, 0.125), 112);
  EXPECT_EQ(token_limit(9, 8, 0), 2);
}

}  // namespace
}  // namespace cpbench::fcp
