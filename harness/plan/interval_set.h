// A set of integers that grows and shrinks range by range. An operation costs the logarithm of the
// set's size for each range that is given or removed, so a long history of small changes is cheap.
//
//   IntervalSet present;
//   present.insert(sets[a]);    // what of `a` was not in the set before
//   present.missing(sets[b]);   // what of `b` is not in the set
#pragma once

#include <map>

#include "harness/plan/range_sets.h"

namespace cpbench {

class IntervalSet {
 public:
  Ranges insert(RangeSpan ranges);         // returns the part that is new
  Ranges erase(RangeSpan ranges);          // returns the part that was there
  Ranges missing(RangeSpan ranges) const;  // the part outside the set
  Ranges ranges() const;

 private:
  std::map<int64_t, int64_t> end_of_;  // by the begin of each range; they neither overlap nor touch
};

}  // namespace cpbench
