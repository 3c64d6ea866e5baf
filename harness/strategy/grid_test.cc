#include "harness/strategy/grid.h"

#include <gtest/gtest.h>

#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

TEST(Grid, SplitsASetIntoConsecutiveEvenParts) {
  Ranges set = {{0, 3}, {10, 14}, {20, 21}};
  EXPECT_EQ(split_evenly(set, 3),
            (std::vector<Ranges>{{{0, 3}}, {{10, 13}}, {{13, 14}, {20, 21}}}));
  EXPECT_EQ(split_evenly(set, 1), std::vector<Ranges>{set});
  EXPECT_EQ(split_evenly(Ranges{{5, 6}}, 3), (std::vector<Ranges>{{{5, 6}}, {}, {}}));
  EXPECT_EQ(split_evenly({}, 2), std::vector<Ranges>(2));
}

TEST(Grid, LargestCommonDivisorWithinALimit) {
  EXPECT_EQ(largest_common_divisor(12, 18, 100), 6);
  EXPECT_EQ(largest_common_divisor(12, 18, 5), 3);
  EXPECT_EQ(largest_common_divisor(12, 18, 0), 1);
  EXPECT_EQ(largest_common_divisor(7, 8, 8), 1);
}

// Context ranks without tokens, wherever they are, take no part in the ring.
TEST(Grid, EmptyShardsTakeNoPart) {
  for (uint32_t present = 1; present < 64; ++present) {
    std::vector<Ranges> shards(6);
    int64_t tokens = 0;
    for (int32_t i = 0; i < 6; ++i) {
      if ((present >> i & 1) == 0) continue;
      shards[i] = {{tokens, tokens + 2}};
      tokens += 2;
    }
    for (int32_t inner : {1, 2, 3, 6}) {
      for (GridBackward backward : {GridBackward::kv, GridBackward::queries}) {
        Problem problem = problem_of({tokens}, 12);
        Plan plan = grid_plan(problem, shards,
                              {.head_degree = 2, .inner_ring = inner, .backward = backward});
        ASSERT_EQ(violations(problem, plan), "") << present << " " << inner;
      }
    }
  }
}

TEST(Grid, HeadDegreesThatAreNotSupportedAreNamed) {
  EXPECT_NO_THROW(require_head_degree(problem_of({8}, 6), 3, "u"));
  EXPECT_EQ(error_of<Unsupported>([] { require_head_degree(problem_of({8}, 18), 9, "u"); }),
            "u 9 must divide the 18 ranks and be at most the 8 query heads: 1, 2, 3, 6");
}

}  // namespace
}  // namespace cpbench
