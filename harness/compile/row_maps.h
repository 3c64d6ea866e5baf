// Which row a token has in a buffer that holds a token set in ascending order.
//
//   RowMaps maps(sets);              // set a = tokens 0-3 and 8-11
//   maps.row_at(a, 9) == 5;  maps.row_at(a, 6) == 4  (the first row whose token is >= 6)
#pragma once

#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

class RowMaps {
 public:
  explicit RowMaps(RangeSets& sets) : sets_(sets) {}

  // The first row of `set` whose token is >= `token`.
  int64_t row_at(SetId set, int64_t token);
  // Tokens of rows [row, row + rows) of `set`, appended as ranges.
  void tokens_of(SetId set, int64_t row, int64_t rows, Ranges& out);
  RangeSets& sets() { return sets_; }

 private:
  struct Map {
    std::vector<int64_t> first_rows;  // per range of the set, and the number of rows
    size_t last = 0;  // the range that was found last: most look-ups ascend from there
  };
  Map& map_of(SetId set);

  RangeSets& sets_;
  std::vector<Map> maps_;
};

// The index of the first range of `ranges` that ends after `token`.
size_t range_at(RangeSpan ranges, int64_t token);

}  // namespace cpbench
