// Lists of rows that one launch moves or adds, made once per call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cpbench {

// Moves rows [from, from + rows) of one matrix to rows [to, to + rows) of another.
struct RowMove {
  int32_t from = 0;
  int32_t to = 0;
  int32_t rows = 0;
  int32_t before = 0;  // rows of all earlier moves of the list
  bool operator==(const RowMove&) const = default;
};

// Appends a move, or extends the last one if it continues that.
void add_move(std::vector<RowMove>& moves, int32_t from, int32_t to, int32_t rows);
int64_t rows_of(std::span<const RowMove> moves);

// Adds to row to + i, for i in [0, rows), the rows from[first + k] + i for k = 0 .. sources - 1, in
// this order.
struct RowSum {
  int32_t to = 0;
  int32_t rows = 0;
  int32_t before = 0;  // rows of all earlier sums of the list
  int32_t first = 0;   // in RowSums::from
  int32_t sources = 0;
  bool operator==(const RowSum&) const = default;
};
struct RowSums {
  std::vector<RowSum> sums;  // by ascending target row, each of which occurs once
  std::vector<int32_t> from;
  int64_t rows() const { return sums.empty() ? 0 : sums.back().before + int64_t{sums.back().rows}; }
};

// Rows that move to the same target are added in the order of the moves.
RowSums sums_of(std::span<const RowMove> moves);

}  // namespace cpbench
