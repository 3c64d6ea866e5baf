#include "harness/plan/set_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cpbench {
namespace {

TEST(SetMap, IsAMapThatIsEmptiedAgainAndAgain) {
  std::mt19937_64 random(4);
  constexpr int32_t kSets = 9;
  SetMap<int64_t> map(kSets);
  for (int round = 0; round < 50; ++round) {
    map.clear();
    std::map<SetId, int64_t> expected;
    for (uint64_t i = random() % 12; i > 0; --i) {
      const auto set = static_cast<SetId>(random() % kSets);
      const auto value = static_cast<int64_t>(random() % 100);
      map[set] += value;
      expected[set] += value;
    }
    for (SetId set = 0; set < kSets; ++set) {
      const int64_t* found = map.find(set);
      ASSERT_EQ(found != nullptr, expected.contains(set));
      if (found != nullptr) {
        ASSERT_EQ(*found, expected[set]);
      }
    }
    EXPECT_EQ(map.size(), expected.size());
    EXPECT_EQ((std::map<SetId, int64_t>(map.begin(), map.end())), expected);
  }
}

}  // namespace
}  // namespace cpbench
