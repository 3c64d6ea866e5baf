// Clusters of overlapping sets: two sets of a pool are in one cluster if they overlap, or if a
// chain of overlapping sets connects them. Sets of different clusters are disjoint.
//
// Each shard of a ring is a cluster of its own. A shard that is also split into parts is in one
// cluster with its parts.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

class SetClusters {
 public:
  // Visits all ranges of the pool once.
  explicit SetClusters(const RangeSets& sets);

  // The number of the set's cluster. The empty set is in a cluster of its own.
  int32_t of(SetId set) const { return cluster_[set]; }

 private:
  std::vector<int32_t> cluster_;
};

}  // namespace cpbench
