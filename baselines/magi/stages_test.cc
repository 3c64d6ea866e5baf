#include "baselines/magi/stages.h"

#include <gtest/gtest.h>

#include "harness/plan/test_problems.h"

namespace cpbench::magi {
namespace {

// One document without causal mask: rank 0 has 1,024 tokens, and 9 remote pieces of 512 tokens
// each.
struct OneDocument {
  MaskIndex mask{batch_of({1024 + 9 * 512}, Mask::document_full, 1)};
  std::vector<Ranges> homes = {{{0, 1024}}, {{1024, 5632}}};
  std::vector<Ranges> needed = {{{0, 5632}}, {{1024, 5632}}};

  std::vector<int64_t> received(int32_t stages, const StageCosts& costs = {}) const {
    std::vector<int64_t> tokens;
    for (const auto& stage : stages_of(mask, homes, needed, stages, costs)) {
      EXPECT_TRUE(stage[1].empty());
      tokens.push_back(size_of(stage[0]));
    }
    return tokens;
  }
  // A piece takes 12 us of attention (so the keys at home take 24), and so long to travel.
  static StageCosts costs(double piece_microseconds) {
    return {.microseconds_per_pair = 12.0 / (512 * 1024),
            .microseconds_per_token = piece_microseconds / 512};
  }
};

// OverlapSolver._solve_with_uniform (MagiAttention, magi_attention/meta/solver/overlap_solver.py)
// deals 10 items, of which item 0 is the host's work: in 3 stages [0-3] [4-6] [7-9].
TEST(MagiStages, PiecesAreDealtEvenlyAndHomeIsItemZero) {
  const OneDocument one;
  constexpr int64_t P = 512;
  EXPECT_EQ(one.received(1), (std::vector<int64_t>{9 * P}));
  EXPECT_EQ(one.received(3), (std::vector<int64_t>{3 * P, 3 * P, 3 * P}));
  EXPECT_EQ(one.received(4), (std::vector<int64_t>{2 * P, 3 * P, 2 * P, 2 * P}));
  EXPECT_EQ(one.received(9), (std::vector<int64_t>{P, P, P, P, P, P, P, P, P}));
  EXPECT_EQ(one.received(11), (std::vector<int64_t>{P, P, P, P, P, P, P, P, P, 0, 0}));
}

TEST(MagiStages, AtMost64Pieces) {
  const MaskIndex mask(batch_of({100 + 64 * 1000 + 1}, Mask::document_full, 1));
  const std::vector<Ranges> homes = {{{0, 100}}, {{100, 64101}}};
  const auto stages = stages_of(mask, homes, {{{0, 64101}}, {}}, 64, {});
  EXPECT_EQ(size_of(stages[0][0]), 1001);
  EXPECT_EQ(size_of(stages[63][0]), 64001 - 63 * 1001);
}

// What OverlapSolver.solve returns for these costs with overlap_degree=None, dynamic_max_degree=8.
TEST(MagiStages, AutomaticNumberIsUpstreams) {
  const OneDocument one;
  EXPECT_EQ(one.received(0, OneDocument::costs(1)).size(), 1u);
  EXPECT_EQ(one.received(0, OneDocument::costs(6)).size(), 2u);
  EXPECT_EQ(one.received(0, OneDocument::costs(10)).size(), 3u);
  EXPECT_EQ(one.received(0, OneDocument::costs(20)).size(), 6u);
  EXPECT_EQ(one.received(0).size(), 1u);  // upstream's default: 1 us for each pair and each token
}

}  // namespace
}  // namespace cpbench::magi
