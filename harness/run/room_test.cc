#include "harness/run/room.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

TEST(Room, is_asked_for_with_the_estimate) {
  const ExpectedCost cost{.bytes = 210e9, .seconds = 5700};
  EXPECT_EQ(
      no_room(cost, 16'000'000'000),
      "simulating it needs about 210 GB of memory and takes about 95 min, and 16 GB are free");
  EXPECT_EQ(no_room(cost, 210'000'000'000), "");
  EXPECT_EQ(no_room(cost, 0), "");
}

}  // namespace
}  // namespace cpbench
