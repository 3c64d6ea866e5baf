#include "methods/fcp/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/plan/mask.h"

namespace cpbench::fcp {
namespace {

TEST(FcpUnits, ZigzagPairsChunksFromBothEnds) {
  const Units found = cut({.document_lengths = {12}}, {.block_tokens = 4});
  ASSERT_EQ(found.units.size(), 3u);
  EXPECT_EQ(found.units[0].tokens, (Ranges{{0, 2}, {10, 12}}));
  EXPECT_EQ(found.units[1].tokens, (Ranges{{2, 4}, {8, 10}}));
  EXPECT_EQ(found.units[2].tokens, (Ranges{{4, 8}}));
  for (const Unit& unit : found.units) EXPECT_EQ(unit.pairs, 12 * 13 / 2 / 3);
}

TEST(FcpUnits, ContiguousBlocks) {
  const Units found =
      cut({.document_lengths = {10}}, {.block_tokens = 4, .shape = UnitShape::contiguous});
  ASSERT_EQ(found.units.size(), 3u);
  EXPECT_EQ(found.units[0].tokens, (Ranges{{0, 4}}));
  EXPECT_EQ(found.units[1].tokens, (Ranges{{4, 7}}));
  EXPECT_EQ(found.units[2].tokens, (Ranges{{7, 10}}));
  EXPECT_EQ(found.units[1].pairs, 5 + 6 + 7);
}

// 3, 3, 2, 2, 2, 1 into bins of 4: {3, 1}, {3}, {2, 2}, {2}, in the pack's order here.
TEST(FcpUnits, ShortSequencesArePackedFirstFitDecreasing) {
  const Units found = cut({.document_lengths = {2, 3, 1, 2, 3, 2}}, {.block_tokens = 4});
  ASSERT_EQ(found.units.size(), 4u);
  EXPECT_TRUE(found.sequences.empty());
  EXPECT_EQ(found.units[0].tokens, (Ranges{{2, 6}}));
  EXPECT_EQ(found.units[1].tokens, (Ranges{{8, 11}}));
  EXPECT_EQ(found.units[2].tokens, (Ranges{{0, 2}, {6, 8}}));
  EXPECT_EQ(found.units[3].tokens, (Ranges{{11, 13}}));
}

TEST(FcpUnits, TheCausalMaskMakesThePackOneSequence) {
  const Units found = cut({.document_lengths = {3, 5}, .mask = Mask::causal}, {.block_tokens = 4});
  ASSERT_EQ(found.sequences.size(), 1u);
  EXPECT_EQ(found.units.size(), 2u);
}

TEST(FcpUnits, EveryTokenOnceAndNoUnitAboveABlock) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    Batch batch;
    for (uint64_t n = 1 + random() % 20; n > 0; --n) {
      batch.document_lengths.push_back(static_cast<int64_t>(1 + random() % 50));
    }
    const int64_t block = static_cast<int64_t>(1 + random() % 12);
    const UnitShape shape = random() % 2 ? UnitShape::zigzag : UnitShape::contiguous;
    const Units found = cut(batch, {block, shape});
    std::vector<int> times(batch.tokens(), 0);
    int64_t pairs = 0;
    for (const Unit& unit : found.units) {
      EXPECT_TRUE(is_normal(unit.tokens));
      EXPECT_GT(unit.size, 0);
      EXPECT_LE(unit.size, block);
      pairs += unit.pairs;
      for (const Range& r : unit.tokens) {
        for (int64_t t = r.begin; t < r.end; ++t) ++times[t];
      }
    }
    EXPECT_EQ(pairs, MaskIndex(batch).pairs());
    EXPECT_EQ(std::count(times.begin(), times.end(), 1), batch.tokens());
  }
}

}  // namespace
}  // namespace cpbench::fcp
