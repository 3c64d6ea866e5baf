// Which sets of a pool hang together by shared members: two sets are in one cluster if they
// overlap, or if a chain of overlapping sets joins them. Sets of different clusters are disjoint.
//
// Ring shards are a cluster each; a shard that is also split into parts shares one with its parts.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

class SetClusters {
 public:
  // One sort of all ranges of the pool.
  explicit SetClusters(const RangeSets& sets);

  // The cluster's number, the same for all its sets. The empty set is alone.
  int32_t of(SetId set) const { return cluster_[set]; }

 private:
  std::vector<int32_t> cluster_;
};

}  // namespace cpbench
