// The segments of a call as attention libraries want them: pieces of which every row sees a key,
// and groups of pieces that one library call can do together.
//
//   pieces_of(segments, heads).groups   // {causal: all causal segments}, {full: all others}
//
// Libraries align masks at the bottom right and take one mask for all sequences of a call. So a
// band loses the rows and keys at its ends that the others do not see, and what is left is a window
// around the diagonal that ends in the last row's last key.
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
  std::vector<Piece> pieces;  // ascending q_row, none twice
};

struct RowRange {
  int32_t row = 0;
  int32_t rows = 0;
  bool operator==(const RowRange&) const = default;
};

struct CallPieces {
  std::vector<PieceGroup> groups;
  std::vector<RowRange> blank;  // of the outputs: rows that see no key
};

// `heads` are the query heads of the call. Pieces of very different lengths get groups of their
// own where that spares more than a launch: a library starts as many thread blocks for each piece
// as the longest of the call needs.
CallPieces pieces_of(std::span<const Segment> segments, int32_t heads);

}  // namespace cpbench
