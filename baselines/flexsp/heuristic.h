// Groups of allowed sizes for one micro-batch, without a solver. This is the start of the integer
// program, and what the option solver=heuristic uses.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/strategy/group_cost.h"
#include "methods/flexcp/bins.h"

namespace cpbench::flexsp {

using flexcp::Items;

struct SizedGroup {
  int32_t size = 0;  // in ranks
  std::vector<int32_t> sequences;
  GroupCost::Load load;  // the sum of their loads
};
using SizedGroups = std::vector<SizedGroup>;

struct Limits {
  int32_t ranks = 0;
  int64_t capacity = 0;        // in tokens per rank
  std::vector<int32_t> sizes;  // the allowed sizes, ascending; at least one
};

double seconds_of(const SizedGroup& group, const GroupCost& cost);
double slowest_seconds(const SizedGroups& groups, const GroupCost& cost);

// The best of several groupings. One is best-fit decreasing into groups as small as capacity
// allows, the slowest of which is doubled while that helps. The others are, for each size, as many
// groups of it as there is room for; the longest sequence goes first, to the group with the least
// work that has room. Nothing if none of these fits. `items` must be longest first.
std::optional<SizedGroups> group_by_heuristic(const Loads& loads, const Items& items,
                                              const Limits& limits, const GroupCost& cost);

}  // namespace cpbench::flexsp
