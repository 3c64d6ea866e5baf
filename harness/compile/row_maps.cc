// Rows are found by binary search over the ranges; prefix sums are made once per set.
#include "harness/compile/row_maps.h"

#include <algorithm>

namespace cpbench {

size_t range_at(RangeSpan ranges, int64_t token) {
  const auto it = std::upper_bound(ranges.begin(), ranges.end(), token,
                                   [](int64_t t, const Range& r) { return t < r.end; });
  return static_cast<size_t>(it - ranges.begin());
}

const std::vector<int64_t>& RowMaps::first_rows(SetId set) {
  if (static_cast<size_t>(set) >= first_rows_.size()) first_rows_.resize(sets_.count());
  std::vector<int64_t>& rows = first_rows_[set];
  if (rows.empty()) {
    int64_t row = 0;
    for (const Range& range : sets_[set]) {
      rows.push_back(row);
      row += range.size();
    }
    rows.push_back(row);
  }
  return rows;
}

int64_t RowMaps::row_at(SetId set, int64_t token) {
  const RangeSpan ranges = sets_[set];
  const size_t index = range_at(ranges, token);
  const int64_t row = first_rows(set)[index];
  if (index == ranges.size() || token <= ranges[index].begin) return row;
  return row + token - ranges[index].begin;
}

void RowMaps::tokens_of(SetId set, int64_t row, int64_t rows, Ranges& out) {
  const RangeSpan ranges = sets_[set];
  const std::vector<int64_t>& first = first_rows(set);
  size_t index = std::upper_bound(first.begin(), first.end(), row) - first.begin() - 1;
  while (rows > 0) {
    const int64_t begin = ranges[index].begin + row - first[index];
    const int64_t count = std::min(rows, ranges[index].end - begin);
    out.push_back({begin, begin + count});
    row += count;
    rows -= count;
    ++index;
  }
}

}  // namespace cpbench
