// Which ranks exchange data with one another, and how that changes from pack to pack.
//
// A group is a connected component of the ranks: two ranks are connected if a send of the plan has
// one as sender and the other as receiver. So ring attention in groups gives those groups. If a
// plan uses several groupings one after another, groupings with a common rank become one group;
// what such strategies report tells them apart. Ranks that exchange nothing are in no group.
//
//   communication_groups(plan, Passes::both)   // {{0, 1, 2}, {4, 5}}
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"

namespace cpbench {

using RankGroup = std::vector<int32_t>;  // ascending, two or more

// Sorted. For runs of only the forward pass, the sends of the backward pass are ignored.
std::vector<RankGroup> communication_groups(const Plan& plan, Passes passes);

struct GroupHistory {
  int32_t communicators = 0;  // distinct groups; a library would make a communicator for each
  int32_t changes = 0;        // groups in which some rank was in another group before
};

// `packs`: the groups of packs that run one after another.
GroupHistory history_of(const std::vector<std::vector<RankGroup>>& packs, int32_t ranks);

}  // namespace cpbench
