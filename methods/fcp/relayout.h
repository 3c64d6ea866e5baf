// The moves of the reshuffler: what each rank with a unit fetches from the ranks whose home has its
// tokens, and returns to them at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

struct Move {
  int32_t home = 0;
  int32_t owner = 0;  // the rank of the unit, not `home`
  int32_t job = 0;    // of the owner
  SetId tokens = RangeSets::kEmpty;
};

// No moves if the tokens are at home where their units are. Each moved token is in exactly one
// move. A chunk whose home is one rank is a set of its own, the same set that is sent on later;
// packed short sequences share one set per (unit, home).
std::vector<Move> relayout(const Schedule& schedule, RangeSets& sets);

}  // namespace cpbench::fcp
