// Which of some disjoint sets contains a set.
#pragma once

#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

// The first of the ranges [from, ...) that ends after `token`. Near ranges are found at once,
// others by galloping, so a walk over two sets costs about the size of the smaller one.
inline size_t range_from(RangeSpan ranges, size_t from, int64_t token) {
  size_t step = 1;
  while (from < ranges.size() && ranges[from].end <= token) {
    if (step > 1 && (from + step >= ranges.size() || ranges[from + step].end > token)) step = 1;
    from += step;
    step *= 2;
  }
  return from;
}

// For each set of the pool, the index of the one of these disjoint sets that contains it, or -1.
// The disjoint sets may have far more ranges than the pool has sets, or far fewer.
std::vector<int32_t> containers(const RangeSets& sets, const std::vector<SetId>& disjoint);

}  // namespace cpbench
