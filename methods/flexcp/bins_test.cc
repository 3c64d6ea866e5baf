#include "methods/flexcp/bins.h"

#include <gtest/gtest.h>

#include <set>

#include "methods/flexcp/solver.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

constexpr int32_t kManyRanks = 1000;

Loads loads_with(const std::vector<int64_t>& lengths) {
  Loads loads;
  for (int64_t length : lengths) loads.push_back({.tokens = length});
  return loads;
}

Loads random_loads(Random& random) {
  std::vector<int64_t> lengths;
  for (int64_t n = random.between(1, 60); n > 0; --n) {
    lengths.push_back(random.between(0, 3) == 0 ? random.between(1, 400) : random.between(1, 20));
  }
  return loads_with(lengths);
}

TEST(FlexcpBins, BestFitByHand) {
  const Loads loads = loads_with({12, 7, 4});
  const std::vector<Bin> bins = best_fit(loads, longest_first(loads), 8, kManyRanks);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[0].sequences, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(bins[0].least_ranks, 2);
  EXPECT_EQ(bins[1].sequences, (std::vector<int32_t>{1}));
  EXPECT_EQ(bins[1].load.tokens, 7);
}

// The oracle looks at every bin for every sequence.
TEST(FlexcpBins, BestFitIsTheDefinition) {
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    const Loads loads = random_loads(random);
    const int64_t per_rank = random.between(1, 50);
    const Items items = longest_first(loads);
    std::vector<Bin> slow;
    for (int32_t item : items) {
      const auto ranks = static_cast<int32_t>((loads[item].tokens + per_rank - 1) / per_rank);
      Bin* best = nullptr;
      for (Bin& bin : slow) {
        const int64_t room = bin.least_ranks * per_rank - bin.load.tokens;
        if (ranks > bin.least_ranks || room < loads[item].tokens) continue;
        if (best == nullptr || room < best->least_ranks * per_rank - best->load.tokens) best = &bin;
      }
      if (best == nullptr) {
        slow.emplace_back();
        best = &slow.back();
        best->least_ranks = ranks;
      }
      best->add(item, loads[item]);
    }
    const std::vector<Bin> fast = best_fit(loads, items, per_rank, kManyRanks);
    ASSERT_EQ(fast.size(), slow.size());
    for (size_t b = 0; b < fast.size(); ++b) EXPECT_EQ(fast[b].sequences, slow[b].sequences);
  }
}

TEST(FlexcpBins, DefaultRoomNeedsOneMicroBatch) {
  Random random(4);
  for (int i = 0; i < 3000; ++i) {
    const Loads loads = random_loads(random);
    int64_t tokens = 0;
    for (const auto& load : loads) tokens += load.tokens;
    const auto ranks = static_cast<int32_t>(random.between(1, 40));
    int32_t needed = 0;
    const int64_t room = default_tokens_per_rank(tokens, ranks);
    const auto most = static_cast<int32_t>(random.between(1, 40));
    for (const Bin& bin : best_fit(loads, longest_first(loads), room, most)) {
      EXPECT_LE(bin.least_ranks, most);
      needed += bin.least_ranks;
    }
    EXPECT_LE(needed, ranks);
  }
}

TEST(FlexcpBins, FirstFitIsTheDefinition) {
  Random random(5);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    const Loads loads = random_loads(random);
    const auto buckets = static_cast<int32_t>(random.between(1, 9));
    const int64_t capacity = random.between(100, 600);
    std::vector<int64_t> room(buckets, capacity);
    std::vector<std::vector<int32_t>> slow(buckets);
    bool fits = true;
    for (int32_t item : longest_first(loads)) {
      auto first = std::find_if(room.begin(), room.end(),
                                [&](int64_t r) { return r >= loads[item].tokens; });
      if (first == room.end()) {
        fits = false;
        break;
      }
      *first -= loads[item].tokens;
      slow[first - room.begin()].push_back(item);
    }
    const auto fast = first_fit(loads, longest_first(loads), buckets, capacity);
    ASSERT_EQ(fast.has_value(), fits);
    refused += !fits;
    for (int32_t b = 0; fits && b < buckets; ++b) EXPECT_EQ((*fast)[b].sequences, slow[b]);
  }
  EXPECT_GT(refused, 0);
}

TEST(FlexcpBins, DealingLosesNothing) {
  const Loads loads = loads_with({9, 8, 3, 3, 2});
  const std::vector<Items> parts = deal(loads, longest_first(loads), 2);
  EXPECT_EQ(parts[0], (Items{0, 3}));     // 9, 3
  EXPECT_EQ(parts[1], (Items{1, 2, 4}));  // 8, 3, 2
}

}  // namespace
}  // namespace cpbench::flexcp
