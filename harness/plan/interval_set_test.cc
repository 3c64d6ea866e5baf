#include "harness/plan/interval_set.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

// Against the plain functions of range_sets.h, on sets of a few tokens, so that ranges often touch.
TEST(IntervalSet, AgreesWithPlainSets) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) {
    IntervalSet set;
    Ranges expected;
    for (int change = 0; change < 40; ++change) {
      Ranges ranges;
      for (uint64_t n = random() % 4; n > 0; --n) {
        const auto begin = static_cast<int64_t>(random() % 40);
        ranges.push_back({begin, begin + 1 + static_cast<int64_t>(random() % 8)});
      }
      ranges = normalise(std::move(ranges));
      ASSERT_EQ(set.missing(ranges), subtract(ranges, expected));
      if (random() % 2 == 0) {
        ASSERT_EQ(set.insert(ranges), subtract(ranges, expected));
        expected = unite(expected, ranges);
      } else {
        ASSERT_EQ(set.erase(ranges), intersect(ranges, expected));
        expected = subtract(expected, ranges);
      }
      ASSERT_EQ(set.ranges(), expected);
    }
  }
}

}  // namespace
}  // namespace cpbench
