// Groups of allowed sizes for one micro-batch, without a solver: the start of the integer program,
// and what the option solver=heuristic uses.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/strategy/group_cost.h"
#include "methods/flexcp/bins.h"

namespace cpbench::flexsp {

using flexcp::Items;

struct SizedGroup {
  int32_t size = 0;  // ranks
  std::vector<int32_t> sequences;
  GroupCost::Load load;  // their sum
};
using SizedGroups = std::vector<SizedGroup>;

struct Limits {
  int32_t ranks = 0;
  int64_t capacity = 0;        // tokens per rank
  std::vector<int32_t> sizes;  // allowed, ascending; at least one
};

double seconds_of(const SizedGroup& group, const GroupCost& cost);
double slowest_seconds(const SizedGroups& groups, const GroupCost& cost);

// The best of: best-fit decreasing into groups as small as capacity allows, the slowest doubled
// while that helps; and for each size, as many groups of it as there is room for, longest sequence
// first to the group with the least work that has room. Nothing if none of these fits. `items` are
// longest first.
std::optional<SizedGroups> group_by_heuristic(const Loads& loads, const Items& items,
                                              const Limits& limits, const GroupCost& cost);

}  // namespace cpbench::flexsp
