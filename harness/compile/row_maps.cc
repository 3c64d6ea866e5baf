// Rows are found by binary search over the ranges; prefix sums are made once per set.
#include "harness/compile/row_maps.h"

#include <algorithm>

namespace cpbench {

size_t range_at(RangeSpan ranges, int64_t token) {
  const auto it = std::upper_bound(ranges.begin(), ranges.end(), token,
                                   [](int64_t t, const Range& r) { return t < r.end; });
  return static_cast<size_t>(it - ranges.begin());
}

RowMaps::Map& RowMaps::map_of(SetId set) {
  if (static_cast<size_t>(set) >= maps_.size()) maps_.resize(sets_.count());
  Map& map = maps_[set];
  if (map.first_rows.empty()) {
    int64_t row = 0;
    for (const Range& range : sets_[set]) {
      map.first_rows.push_back(row);
      row += range.size();
    }
    map.first_rows.push_back(row);
  }
  return map;
}

int64_t RowMaps::row_at(SetId set, int64_t token) {
  const RangeSpan ranges = sets_[set];
  Map& map = map_of(set);
  size_t index = map.last;
  if (index > 0 && token < ranges[index - 1].end) {
    index = range_at(ranges, token);
  } else if (index < ranges.size() && token >= ranges[index].end) {
    ++index;
    if (index < ranges.size() && token >= ranges[index].end) index = range_at(ranges, token);
  }
  map.last = index;
  const int64_t row = map.first_rows[index];
  if (index == ranges.size() || token <= ranges[index].begin) return row;
  return row + token - ranges[index].begin;
}

void RowMaps::tokens_of(SetId set, int64_t row, int64_t rows, Ranges& out) {
  const RangeSpan ranges = sets_[set];
  Map& map = map_of(set);
  const std::vector<int64_t>& first = map.first_rows;
  size_t index = map.last;
  if (index >= ranges.size() || row < first[index] || row >= first[index + 1]) {
    index = std::upper_bound(first.begin(), first.end(), row) - first.begin() - 1;
  }
  while (rows > 0) {
    const int64_t begin = ranges[index].begin + row - first[index];
    const int64_t count = std::min(rows, ranges[index].end - begin);
    out.push_back({begin, begin + count});
    row += count;
    rows -= count;
    ++index;
  }
  map.last = index;
}

}  // namespace cpbench
