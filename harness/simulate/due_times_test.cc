#include "harness/simulate/due_times.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cpbench {
namespace {

TEST(DueTimes, EarliestFirstThenSmallestId) {
  DueTimes due;
  EXPECT_EQ(due.first_seconds(), std::numeric_limits<double>::infinity());
  due.set(7, 2.5);
  due.set(3, 1.0);
  due.set(5, 1.0);
  EXPECT_EQ(due.first_id(), 3);
  due.set(7, 0.5);
  EXPECT_EQ(due.first_id(), 7);
  EXPECT_EQ(due.first_seconds(), 0.5);
  due.set(7, 1.0);
  EXPECT_EQ(due.first_id(), 3);
  due.remove_first();
  due.remove_first();
  EXPECT_EQ(due.first_id(), 7);
}

// Compares it with a map that is searched from end to end.
TEST(DueTimes, AgreeWithASearch) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    DueTimes due;
    std::map<int32_t, double> all;
    for (int i = 0; i < 400; ++i) {
      if (random() % 4 == 0 && !all.empty()) {
        auto first = all.begin();
        for (auto it = all.begin(); it != all.end(); ++it) {
          if (it->second < first->second) first = it;
        }
        ASSERT_EQ(due.first_id(), first->first);
        ASSERT_EQ(due.first_seconds(), first->second);
        due.remove_first();
        all.erase(first);
      } else {
        const auto id = static_cast<int32_t>(random() % 40);
        const auto seconds = static_cast<double>(random() % 30);
        due.set(id, seconds);
        all[id] = seconds;
      }
    }
  }
}

}  // namespace
}  // namespace cpbench
