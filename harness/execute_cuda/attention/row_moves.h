// Lists of rows that one launch moves or adds up, made once per call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cpbench {

// Rows [from, from + rows) of one matrix to [to, to + rows) of another.
struct RowMove {
  int32_t from = 0;
  int32_t to = 0;
  int32_t rows = 0;
  int32_t before = 0;  // rows of the list before these
  bool operator==(const RowMove&) const = default;
};

// Appends a move, joined with the last one where it goes on.
void add_move(std::vector<RowMove>& moves, int32_t from, int32_t to, int32_t rows);
int64_t rows_of(std::span<const RowMove> moves);

// Row i of [to, to + rows) takes in rows from[first + k] + i for k = 0 .. sources - 1, in this
// order.
struct RowSum {
  int32_t to = 0;
  int32_t rows = 0;
  int32_t before = 0;
  int32_t first = 0;
  int32_t sources = 0;
  bool operator==(const RowSum&) const = default;
};
struct RowSums {
  std::vector<RowSum> sums;  // no target row twice, ascending
  std::vector<int32_t> from;
  int64_t rows() const { return sums.empty() ? 0 : sums.back().before + int64_t{sums.back().rows}; }
};

// What moves to the same rows is added in the order of the moves.
RowSums sums_of(std::span<const RowMove> moves);

}  // namespace cpbench
