// Converts the segments of a call to pieces, as attention libraries require them. Every row of a
// piece sees a key, and a group of pieces can be computed in one library call.
//
//   pieces_of(segments, heads).groups   // {causal: all causal segments}, {full: all others}
//
// Libraries align masks at the bottom right and accept one mask for all sequences of a call. So the
// query rows of a band that see no key, and the keys that no row sees, are cut off. What is left is
// a window around the diagonal that ends at the last key of the last row.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

inline constexpr int32_t kUnlimited = -1;

// Query row i of a piece sees its key row j if -left <= j - i - (kv_rows - q_rows) <= right.
struct Window {
  int32_t left = kUnlimited;
  int32_t right = kUnlimited;
  auto operator<=>(const Window&) const = default;
};
inline constexpr Window kFull{};
inline constexpr Window kCausal{.right = 0};

struct Piece {
  int32_t q_row = 0;
  int32_t q_rows = 0;  // >= 1
  int32_t kv_row = 0;
  int32_t kv_rows = 0;  // >= 1
  int32_t out_row = 0;
  int32_t dkv_row = 0;
  bool operator==(const Piece&) const = default;
};

struct PieceGroup {
  Window window;
  std::vector<Piece> pieces;  // by ascending q_row, each of which occurs once
};

struct RowRange {
  int32_t row = 0;
  int32_t rows = 0;
  bool operator==(const RowRange&) const = default;
};

struct CallPieces {
  std::vector<PieceGroup> groups;
  std::vector<RowRange> blank;  // rows of the outputs that see no key
};

// `heads` is the number of query heads of the call. A library launches as many thread blocks for
// each piece as the longest piece of the call needs, so pieces of very different lengths get groups
// of their own if that saves more than a launch costs.
CallPieces pieces_of(std::span<const Segment> segments, int32_t heads);

}  // namespace cpbench
