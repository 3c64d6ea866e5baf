#include "harness/plan/set_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace cpbench {
namespace {

TEST(SetIndex, FindsTheSetsThatOverlap) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 500; ++i) {
    RangeSets sets;
    for (int s = 0; s < 12; ++s) {
      Ranges ranges;
      for (uint64_t n = 1 + random() % 3; n > 0; --n) {
        const auto begin = static_cast<int64_t>(random() % 60);
        const int64_t size = random() % 8 == 0 ? 40 : static_cast<int64_t>(random() % 5);
        ranges.push_back({begin, begin + size});
      }
      sets.intern(normalise(std::move(ranges)));
    }
    std::vector<SetId> members;  // some twice
    for (int m = 0; m < 8; ++m) members.push_back(static_cast<SetId>(random() % sets.count()));
    SetIndex index(sets, members);
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    for (SetId id = 0; id < sets.count(); ++id) {
      std::vector<SetId> expected;
      for (SetId member : members) {
        if (overlap(sets[member], sets[id])) expected.push_back(member);
      }
      ASSERT_EQ(index.overlapping(sets[id], 100), expected) << i;
      if (expected.size() > 2) {
        ASSERT_EQ(index.overlapping(sets[id], 2), std::nullopt);
      }
    }
  }
}

}  // namespace
}  // namespace cpbench
