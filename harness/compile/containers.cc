#include "harness/compile/containers.h"

#include <algorithm>

namespace cpbench {

std::vector<int32_t> containers(const RangeSets& sets, const std::vector<SetId>& disjoint) {
  const auto begin_of = [&](SetId set) { return sets[set].front().begin; };
  std::vector<SetId> by_begin;
  for (SetId set = 0; set < sets.count(); ++set) {
    if (!sets[set].empty()) by_begin.push_back(set);
  }
  std::ranges::sort(by_begin, {}, begin_of);
  std::vector<int32_t> found(sets.count(), -1);
  for (size_t i = 0; i < disjoint.size(); ++i) {
    const RangeSpan ranges = sets[disjoint[i]];
    size_t at = 0;
    for (auto set = by_begin.begin(); set != by_begin.end();) {
      at = range_from(ranges, at, begin_of(*set));
      if (at == ranges.size()) break;
      if (begin_of(*set) < ranges[at].begin) {  // none begins before this range
        set = std::ranges::lower_bound(set, by_begin.end(), ranges[at].begin, {}, begin_of);
        continue;
      }
      if (*set == disjoint[i] || contains_all(ranges, sets[*set])) {
        found[*set] = static_cast<int32_t>(i);
      }
      ++set;
    }
  }
  return found;
}

}  // namespace cpbench
