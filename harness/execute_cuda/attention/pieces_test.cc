#include "harness/execute_cuda/attention/pieces.h"

#include <gtest/gtest.h>

#include <random>

#include "harness/execute/kernel.h"
#include "harness/execute_cuda/attention/random_segments_for_tests.h"

namespace cpbench {
namespace {

constexpr int32_t kHeads = 4;

Segment segment(int32_t q_rows, int32_t kv_rows, SegmentMask mask, int32_t first = 0,
                int32_t last = 0) {
  return {.q_row = 100,
          .q_rows = q_rows,
          .kv_row = 200,
          .kv_rows = kv_rows,
          .out_row = 300,
          .dkv_row = 400,
          .mask = mask,
          .first = first,
          .last = last};
}

PieceGroup only_group(const Segment& s) {
  const CallPieces pieces = pieces_of(std::span(&s, 1), kHeads);
  EXPECT_EQ(pieces.groups.size(), 1u);
  return pieces.groups.at(0);
}

TEST(Pieces, full_and_causal_segments_stay_as_they_are) {
  const PieceGroup full = only_group(segment(10, 30, SegmentMask::full));
  EXPECT_EQ(full.window, kFull);
  EXPECT_EQ(full.pieces.at(0), (Piece{100, 10, 200, 30, 300, 400}));
  EXPECT_EQ(only_group(segment(10, 30, SegmentMask::causal)).window, kCausal);
}

TEST(Pieces, one_query_row_is_causal_whatever_it_was) {
  EXPECT_EQ(only_group(segment(1, 30, SegmentMask::full)).window, kCausal);
  const PieceGroup band = only_group(segment(1, 30, SegmentMask::band, 5, 8));
  EXPECT_EQ(band.window, kCausal);
  EXPECT_EQ(band.pieces.at(0), (Piece{100, 1, 205, 4, 300, 405}));
}

TEST(Pieces, rows_that_see_no_key_are_blank) {
  const Segment causal = segment(40, 17, SegmentMask::causal);
  const CallPieces pieces = pieces_of(std::span(&causal, 1), kHeads);
  EXPECT_EQ(pieces.blank, (std::vector<RowRange>{{300, 23}}));
  EXPECT_EQ(pieces.groups.at(0).pieces.at(0), (Piece{123, 17, 200, 17, 323, 400}));

  const Segment nothing = segment(5, 0, SegmentMask::full);
  EXPECT_EQ(pieces_of(std::span(&nothing, 1), kHeads).blank, (std::vector<RowRange>{{300, 5}}));
  EXPECT_TRUE(pieces_of(std::span(&nothing, 1), kHeads).groups.empty());
}

TEST(Pieces, a_sliding_window_ends_on_the_diagonal) {
  const PieceGroup group = only_group(segment(64, 95, SegmentMask::band, 0, 31));
  EXPECT_EQ(group.window, (Window{31, 0}));
  EXPECT_EQ(group.pieces.at(0), (Piece{100, 64, 200, 95, 300, 400}));
}

TEST(Pieces, windows_that_limit_nothing_are_full) {
  EXPECT_EQ(only_group(segment(8, 8, SegmentMask::band, -20, 20)).window, kFull);
  EXPECT_EQ(only_group(segment(8, 8, SegmentMask::band, -20, 0)).window, kCausal);
}

TEST(Pieces, ascend_by_query_row) {
  Segment a = segment(10, 10, SegmentMask::causal), b = a;
  b.q_row = 50;
  const std::vector<Segment> segments = {a, b};
  const CallPieces pieces = pieces_of(segments, kHeads);
  ASSERT_EQ(pieces.groups.size(), 1u);
  EXPECT_EQ(pieces.groups[0].pieces[0].q_row, 50);
}

TEST(Pieces, very_different_lengths_are_separate_calls) {
  std::vector<Segment> segments;
  for (int32_t i = 0; i < 300; ++i) {
    segments.push_back({.q_row = i * 100,
                        .q_rows = 100,
                        .kv_row = i * 100,
                        .kv_rows = 100,
                        .mask = SegmentMask::causal});
  }
  EXPECT_EQ(pieces_of(segments, kHeads).groups.size(), 1u);
  segments.push_back({.q_row = 30000,
                      .q_rows = 131072,
                      .kv_row = 30000,
                      .kv_rows = 131072,
                      .mask = SegmentMask::causal});
  const CallPieces pieces = pieces_of(segments, kHeads);
  ASSERT_EQ(pieces.groups.size(), 2u);
  EXPECT_EQ(pieces.groups[0].pieces.size(), 300u);
  EXPECT_EQ(pieces.groups[1].pieces.size(), 1u);
}

TEST(Pieces, lengths_that_cost_little_in_one_call_stay_together) {
  const std::vector<Segment> segments = {
      {.q_row = 0, .q_rows = 100, .kv_row = 0, .kv_rows = 100, .mask = SegmentMask::causal},
      {.q_row = 100, .q_rows = 8000, .kv_row = 100, .kv_rows = 8000, .mask = SegmentMask::causal}};
  EXPECT_EQ(pieces_of(segments, kHeads).groups.size(), 1u);
}

// Each (query, key) pair that is visible in a segment is visible in exactly one piece.
TEST(Pieces, have_the_visible_pairs_of_the_segments) {
  std::mt19937 random(7);
  for (int repeat = 0; repeat < 3000; ++repeat) {
    const std::vector<Segment> segments = random_segments(random, {.q_rows = 40, .kv_rows = 30});
    using Pair = std::array<int64_t, 4>;  // rows of q, kv, out, dkv
    std::vector<Pair> shown, expected;
    std::vector<int64_t> blank, blind;
    for (const Segment& s : segments) {
      for (int64_t i = 0; i < s.q_rows; ++i) {
        const Range keys = visible_rows(s, i);
        if (keys.size() <= 0) blind.push_back(s.out_row + i);
        for (int64_t j = keys.begin; j < keys.end; ++j) {
          expected.push_back({s.q_row + i, s.kv_row + j, s.out_row + i, s.dkv_row + j});
        }
      }
    }
    const CallPieces pieces = pieces_of(segments, kHeads);
    for (const RowRange& range : pieces.blank) {
      for (int64_t i = 0; i < range.rows; ++i) blank.push_back(range.row + i);
    }
    for (const PieceGroup& group : pieces.groups) {
      const auto [left, right] = group.window;
      for (const Piece& p : group.pieces) {
        EXPECT_TRUE(left >= kUnlimited && right >= kUnlimited);
        for (int64_t i = 0; i < p.q_rows; ++i) {
          int64_t seen = 0;
          for (int64_t j = 0; j < p.kv_rows; ++j) {
            const int64_t diagonal = j - i - (p.kv_rows - p.q_rows);
            if (left != kUnlimited && diagonal < -left) continue;
            if (right != kUnlimited && diagonal > right) continue;
            shown.push_back({p.q_row + i, p.kv_row + j, p.out_row + i, p.dkv_row + j});
            ++seen;
          }
          EXPECT_GT(seen, 0);
        }
      }
    }
    for (auto* list : {&shown, &expected}) std::ranges::sort(*list);
    for (auto* list : {&blank, &blind}) std::ranges::sort(*list);
    ASSERT_EQ(shown, expected) << repeat;
    ASSERT_EQ(blank, blind) << repeat;
  }
}

}  // namespace
}  // namespace cpbench
