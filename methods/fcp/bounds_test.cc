#include "methods/fcp/bounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "methods/fcp/distribute.h"

namespace cpbench::fcp {
namespace {

Unit unit(int64_t size, int64_t pairs) { return {-1, {{0, size}}, size, pairs}; }

// The least work of the busiest rank over all placements, by trying them all.
class Oracle {
 public:
  Oracle(const std::vector<Unit>& units, int32_t ranks, int64_t limit)
      : units_(units), limit_(limit), tokens_(ranks, 0), pairs_(ranks, 0) {
    place(0);
  }
  int64_t best() const { return best_; }  // the largest int64 if nothing fits

 private:
  void place(size_t u) {
    const int64_t most = *std::max_element(pairs_.begin(), pairs_.end());
    if (most >= best_) return;
    if (u == units_.size()) {
      best_ = most;
      return;
    }
    for (size_t r = 0; r < pairs_.size(); ++r) {
      if (tokens_[r] + units_[u].size <= limit_) {
        tokens_[r] += units_[u].size;
        pairs_[r] += units_[u].pairs;
        place(u + 1);
        tokens_[r] -= units_[u].size;
        pairs_[r] -= units_[u].pairs;
      }
      if (tokens_[r] == 0) break;  // the empty ranks are alike
    }
  }

  const std::vector<Unit>& units_;
  int64_t limit_;
  std::vector<int64_t> tokens_, pairs_;
  int64_t best_ = std::numeric_limits<int64_t>::max();
};

TEST(FcpBounds, NeverAboveTheBestPlacement) {
  std::mt19937_64 random(21);
  int tight = 0, above_count = 0, placed = 0;
  for (int i = 0; i < 600; ++i) {
    const auto ranks = static_cast<int32_t>(1 + random() % 4);
    // Few distinct sizes, as documents cut into equal units have.
    std::vector<int64_t> kinds;
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      kinds.push_back(static_cast<int64_t>(1 + random() % 1000));
    }
    std::vector<Unit> units;
    int64_t tokens = 0;
    for (uint64_t n = 1 + random() % 10; n > 0; --n) {
      units.push_back(unit(static_cast<int64_t>(1 + random() % 3), kinds[random() % kinds.size()]));
      tokens += units.back().size;
    }
    const int64_t limit = token_limit(tokens, ranks, 0.125 * static_cast<double>(random() % 9));
    const int64_t best = Oracle(units, ranks, limit).best();
    const int64_t bound = least_work(units, ranks, limit);
    const int64_t by_count = least_work_by_count(units, ranks);
    EXPECT_LE(by_count, bound);
    if (best == std::numeric_limits<int64_t>::max()) continue;
    ASSERT_LE(bound, best) << "case " << i;
    ++placed;
    tight += 1000 * (best - bound) <= best;
    above_count += bound > by_count;
  }
  EXPECT_GT(placed, 400);
  EXPECT_GT(2 * tight, placed);
  EXPECT_GT(above_count, 50);
}

// Seven units on three ranks: some rank has three.
TEST(FcpBounds, ByCount) {
  const std::vector<Unit> units(7, unit(1, 10));
  EXPECT_EQ(least_work_by_count(units, 3), 30);
  EXPECT_EQ(least_work_by_count({}, 3), 0);
}

// Three units of 60 are alone below 100 + 60; two of 40 fit next to them only from 100 on, so on
// four ranks four of 40 cannot have less than 100 anywhere, though 340 / 4 is 85 and two of 40
// make 80.
TEST(FcpBounds, AsBinPacking) {
  std::vector<Unit> units(3, unit(1, 60));
  units.insert(units.end(), 4, unit(1, 40));
  EXPECT_EQ(least_work_by_count(units, 4), 80);
  EXPECT_EQ(Oracle(units, 4, 100).best(), 100);
  EXPECT_GE(least_work(units, 4, 100), 99);
}

// The unit of 60 is on one rank. The other has room for five of the eight units of 10, so the first
// has at least 90, though the mean is 70.
TEST(FcpBounds, ByTheTokenLimit) {
  std::vector<Unit> units(8, unit(1, 10));
  units.push_back(unit(1, 60));
  EXPECT_EQ(Oracle(units, 2, 5).best(), 90);
  EXPECT_GE(least_work(units, 2, 5), 89);
  EXPECT_LE(least_work(units, 2, 8), 70);
}

}  // namespace
}  // namespace cpbench::fcp
