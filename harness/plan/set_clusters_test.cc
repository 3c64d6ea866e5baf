#include "harness/plan/set_clusters.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

TEST(SetClusters, ASetWithItsPartsIsOneAndNeighboursAreNot) {
  RangeSets sets;
  SetId whole = sets.intern({{0, 4}, {12, 16}});
  SetId head = sets.intern({{0, 4}});
  SetId tail = sets.intern({{12, 16}});
  SetId other = sets.intern({{4, 12}});
  SetClusters clusters(sets);
  EXPECT_EQ(clusters.of(whole), clusters.of(head));
  EXPECT_EQ(clusters.of(whole), clusters.of(tail));
  EXPECT_NE(clusters.of(whole), clusters.of(other));
  EXPECT_NE(clusters.of(RangeSets::kEmpty), clusters.of(whole));
  EXPECT_NE(clusters.of(RangeSets::kEmpty), clusters.of(other));
}

// Against the definition: the transitive closure of overlap.
TEST(SetClusters, AreTheClosureOfOverlap) {
  std::mt19937_64 random(21);
  for (int i = 0; i < 500; ++i) {
    RangeSets sets;
    for (int s = 0; s < 8; ++s) {
      Ranges ranges;
      for (uint64_t n = 1 + random() % 3; n > 0; --n) {
        int64_t begin = static_cast<int64_t>(random() % 60);
        ranges.push_back({begin, begin + 1 + static_cast<int64_t>(random() % 5)});
      }
      sets.intern(normalise(std::move(ranges)));
    }
    int32_t count = sets.count();
    std::vector<std::vector<bool>> joined(count, std::vector<bool>(count));
    for (int32_t a = 0; a < count; ++a) {
      for (int32_t b = 0; b < count; ++b) joined[a][b] = a == b || overlap(sets[a], sets[b]);
    }
    for (int32_t k = 0; k < count; ++k) {
      for (int32_t a = 0; a < count; ++a) {
        for (int32_t b = 0; b < count; ++b) {
          if (joined[a][k] && joined[k][b]) joined[a][b] = true;
        }
      }
    }
    SetClusters clusters(sets);
    for (int32_t a = 0; a < count; ++a) {
      for (int32_t b = 0; b < count; ++b) {
        ASSERT_EQ(clusters.of(a) == clusters.of(b), joined[a][b]) << i;
      }
    }
  }
}

}  // namespace
}  // namespace cpbench
