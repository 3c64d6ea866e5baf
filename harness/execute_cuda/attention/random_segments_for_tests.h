// Segments of random calls: with any mask, gaps and overlaps, and with output rows that may differ
// from the input rows.
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

struct RandomRows {
  int32_t q_rows = 0;   // of Q and of the output
  int32_t kv_rows = 0;  // of K, V and of their gradients
};

// Query and output rows occur at most once, as rule R5 of programs requires.
inline std::vector<Segment> random_segments(std::mt19937& random, RandomRows rows) {
  const auto pick = [&](int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random() % static_cast<uint32_t>(high - low + 1));
  };
  std::vector<Segment> segments;
  int32_t row = pick(0, 5);
  const bool dense = pick(0, 2) == 0;     // no gaps
  const bool diagonal = pick(0, 2) == 0;  // keys are in the same rows as queries
  while (row < rows.q_rows) {
    Segment s;
    s.q_row = row;
    s.q_rows = std::min(pick(0, 3) == 0 ? 1 : pick(1, rows.q_rows / 2), rows.q_rows - row);
    s.kv_rows = pick(1, rows.kv_rows);
    s.kv_row = pick(0, rows.kv_rows - s.kv_rows);
    s.mask = static_cast<SegmentMask>(pick(0, 2));
    if (diagonal && row + s.q_rows <= rows.kv_rows) {
      s.kv_row = row;
      s.kv_rows = s.q_rows;
      s.mask = SegmentMask::causal;
    }
    s.dkv_row = pick(0, 1) == 0 ? s.kv_row : pick(0, rows.kv_rows - s.kv_rows);
    if (s.mask == SegmentMask::band) {
      s.first = pick(-s.q_rows, s.kv_rows);
      s.last = s.first + pick(0, s.q_rows + s.kv_rows);
    }
    segments.push_back(s);
    row += s.q_rows + (dense ? 0 : pick(0, 9));
  }
  // Output rows are the query rows, or in the reverse order of the segments.
  int32_t end = rows.q_rows;
  const bool reversed = pick(0, 2) == 0;
  for (Segment& s : segments) {
    end -= s.q_rows;
    s.out_row = reversed ? end : s.q_row;
  }
  if (pick(0, 1) == 0) std::shuffle(segments.begin(), segments.end(), random);
  return segments;
}

}  // namespace cpbench
