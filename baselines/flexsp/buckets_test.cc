#include "baselines/flexsp/buckets.h"

#include <gtest/gtest.h>

#include <limits>

#include "methods/flexcp/test_batches.h"

namespace cpbench::flexsp {
namespace {

int64_t waste_of(const std::vector<Bucket>& buckets) {
  int64_t waste = 0;
  for (const Bucket& bucket : buckets) {
    waste += bucket.longest_tokens * std::ssize(bucket.sequences) - bucket.total.tokens;
  }
  return waste;
}

// Oracle: every way to cut.
int64_t least_waste(const Loads& loads, const Items& items, size_t begin, int32_t count) {
  if (begin == items.size()) return 0;
  if (count == 0) return std::numeric_limits<int64_t>::max() / 2;
  int64_t best = std::numeric_limits<int64_t>::max() / 2, waste = 0;
  for (size_t end = begin + 1; end <= items.size(); ++end) {
    waste += loads[items[begin]].tokens - loads[items[end - 1]].tokens;
    best = std::min(best, waste + least_waste(loads, items, end, count - 1));
  }
  return best;
}

TEST(FlexspBuckets, LeastTokensAdded) {
  flexcp::Random random(14);
  for (int i = 0; i < 300; ++i) {
    Loads loads;
    for (int64_t n = random.between(1, 12); n > 0; --n) {
      loads.push_back({.tokens = random.between(1, 30)});
    }
    const Items items = longest_first(loads);
    const auto count = static_cast<int32_t>(random.between(1, 5));
    const std::vector<Bucket> buckets = buckets_of(loads, items, count);
    EXPECT_LE(std::ssize(buckets), count);
    EXPECT_EQ(waste_of(buckets), least_waste(loads, items, 0, count)) << i;
    std::vector<int32_t> all;
    for (const Bucket& b : buckets) all.insert(all.end(), b.sequences.begin(), b.sequences.end());
    EXPECT_EQ(all, items);
  }
}

TEST(FlexspBuckets, RoundedUpInTokensAndMeanInWork) {
  const Loads loads = {{.tokens = 4, .attention_seconds = 1},
                       {.tokens = 6, .attention_seconds = 3}};
  const Loads seen = rounded(loads, buckets_of(loads, {1, 0}, 1));
  EXPECT_EQ(seen[0].tokens, 6);
  EXPECT_EQ(seen[0].attention_seconds, 2);
}

}  // namespace
}  // namespace cpbench::flexsp
