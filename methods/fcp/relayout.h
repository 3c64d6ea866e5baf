// The reshuffler's moves: what each rank that got a unit fetches from the ranks where its tokens
// are at home, and returns to them at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

struct Move {
  int32_t home = 0;
  int32_t owner = 0;  // another rank
  int32_t job = 0;    // of the owner
  SetId tokens = RangeSets::kEmpty;
};

// None if tokens are at home where their units are. Each relaid token is in exactly one move. A
// chunk at home on one rank is a set of its own, the very one that is sent on later; packed short
// sequences share one set per (unit, home).
std::vector<Move> relayout(const Schedule& schedule, RangeSets& sets);

}  // namespace cpbench::fcp
