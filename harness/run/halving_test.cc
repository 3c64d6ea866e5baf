#include "harness/run/halving.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

using Seconds = std::vector<std::optional<double>>;
constexpr auto kNone = std::nullopt;

TEST(Halving, rounds_take_four_times_as_many_packs_until_all) {
  EXPECT_EQ(rounds_of(1), (std::vector<int32_t>{1}));
  EXPECT_EQ(rounds_of(3), (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(rounds_of(4), (std::vector<int32_t>{1, 4}));
  EXPECT_EQ(rounds_of(20), (std::vector<int32_t>{1, 4, 16, 20}));
}

TEST(Halving, later_rounds_cost_what_their_candidates_and_packs_do) {
  EXPECT_EQ(cost_after(0, 1, 1), 0);
  EXPECT_EQ(cost_after(0, 1, 4), 4);      // it goes on
  EXPECT_EQ(cost_after(0, 8, 4), 3 * 4);  // the given one and two of eight
  EXPECT_EQ(cost_after(0, 8, 16), 3 * 4 + 2 * 16);
  EXPECT_EQ(cost_after(1, 3, 16), 2 * 16);
}

TEST(Halving, the_given_one_and_the_fastest_quarter_survive) {
  EXPECT_EQ(survivors({5, 4, 3, 2, 1}), (std::vector<size_t>{0, 3, 4}));
  EXPECT_EQ(survivors({1, 2, 3, 4}), (std::vector<size_t>{0}));
  EXPECT_EQ(survivors({9, kNone, kNone, 2}), (std::vector<size_t>{0, 3}));
  EXPECT_EQ(survivors({kNone, 7}), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(survivors({kNone}), (std::vector<size_t>{0}));
}

TEST(Halving, the_winner_must_be_worth_its_options) {
  EXPECT_EQ(winner({10, 9, 8}), 2u);
  EXPECT_EQ(winner({10, 9.96, 11}), 0u);  // by less than half a percent
  EXPECT_EQ(winner({kNone, 9}), 1u);
  EXPECT_EQ(winner({kNone, kNone}), 0u);
  EXPECT_EQ(winner({7}), 0u);
}

}  // namespace
}  // namespace cpbench
