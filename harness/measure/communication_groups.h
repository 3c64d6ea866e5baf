// Which ranks exchange data with one another, and how that changes from pack to pack.
//
// A group is a connected part of the ranks: two ranks are connected if some send of the plan has
// both as sender and receiver. So ring attention in groups gives those groups. Where one plan runs
// several groupings one after another, ranks that they share join them (the values of such
// strategies look inside). Ranks that exchange nothing are in no group.
//
//   communication_groups(plan, Passes::both)   // {{0, 1, 2}, {4, 5}}
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"

namespace cpbench {

using RankGroup = std::vector<int32_t>;  // ascending, two or more

// Sorted. Without the sends of the backward pass for forward-only runs.
std::vector<RankGroup> communication_groups(const Plan& plan, Passes passes);

struct GroupHistory {
  int32_t communicators = 0;  // distinct groups: a library would make one for each
  int32_t changes = 0;        // groups in which some rank comes from another group
};

// `packs`: the groups of packs that run one after another.
GroupHistory history_of(const std::vector<std::vector<RankGroup>>& packs, int32_t ranks);

}  // namespace cpbench
