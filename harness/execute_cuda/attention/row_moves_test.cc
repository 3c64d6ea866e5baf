#include "harness/execute_cuda/attention/row_moves.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cpbench {
namespace {

TEST(RowMoves, join_if_both_sides_continue) {
  std::vector<RowMove> moves;
  add_move(moves, 0, 10, 3);
  add_move(moves, 3, 13, 2);
  add_move(moves, 5, 20, 1);
  EXPECT_EQ(moves, (std::vector<RowMove>{{0, 10, 5, 0}, {5, 20, 1, 5}}));
  EXPECT_EQ(rows_of(moves), 6);
}

TEST(RowSums, of_moves_without_overlap_are_the_moves) {
  const std::vector<RowMove> moves = {{0, 10, 3, 0}, {3, 0, 2, 3}};
  const RowSums sums = sums_of(moves);
  EXPECT_EQ(sums.sums, (std::vector<RowSum>{{0, 2, 0, 0, 1}, {10, 3, 2, 1, 1}}));
  EXPECT_EQ(sums.from, (std::vector<int32_t>{3, 0}));
}

TEST(RowSums, neighbours_with_the_same_sources_join) {
  const std::vector<RowMove> moves = {{0, 10, 3, 0}, {3, 13, 2, 3}};
  EXPECT_EQ(sums_of(moves).sums, (std::vector<RowSum>{{10, 5, 0, 0, 1}}));
}

// Every target row must have its sources, in the order of the moves.
TEST(RowSums, equal_plain_loops) {
  std::mt19937 random(3);
  for (int repeat = 0; repeat < 2000; ++repeat) {
    std::vector<RowMove> moves;
    std::map<int32_t, std::vector<int32_t>> expected;
    const int count = 1 + static_cast<int>(random() % 8);
    int32_t from = 0;
    for (int m = 0; m < count; ++m) {
      const auto to = static_cast<int32_t>(random() % 30);
      const auto rows = static_cast<int32_t>(1 + random() % 12);
      add_move(moves, from, to, rows);
      for (int32_t i = 0; i < rows; ++i) expected[to + i].push_back(from + i);
      from += rows + static_cast<int32_t>(random() % 2);
    }
    const RowSums sums = sums_of(moves);
    std::map<int32_t, std::vector<int32_t>> found;
    int32_t before = 0;
    for (const RowSum& sum : sums.sums) {
      EXPECT_EQ(sum.before, before);
      before += sum.rows;
      for (int32_t i = 0; i < sum.rows; ++i) {
        auto& list = found[sum.to + i];
        EXPECT_TRUE(list.empty());
        for (int32_t k = 0; k < sum.sources; ++k) list.push_back(sums.from[sum.first + k] + i);
      }
    }
    ASSERT_EQ(found, expected) << repeat;
    EXPECT_EQ(sums.rows(), before);
  }
}

}  // namespace
}  // namespace cpbench
