// Unions of lists of sets, in which each distinct list is united only once. This makes checking and
// measuring near-linear, because all ranks of a ring see the same list.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/plan/range_sets.h"
#include "harness/plan/set_clusters.h"

namespace cpbench {

class SetUnions {
 public:
  struct Union {
    Ranges united;
    Ranges doubled;  // what two or more members of the list share
    bool disjoint() const { return doubled.empty(); }
  };

  explicit SetUnions(const RangeSets& sets) : sets_(sets) {}
  // The order of the list does not matter. A set that is listed twice is doubled. The reference
  // stays valid.
  const Union& of(std::vector<SetId> list);
  // The same without keeping it.
  Union made(const std::vector<SetId>& list) const;
  // The clusters of the pool, computed at the first call.
  const SetClusters& clusters();

 private:
  const RangeSets& sets_;
  std::unique_ptr<SetClusters> clusters_;
  std::unordered_multimap<uint64_t, std::pair<std::vector<SetId>, std::unique_ptr<Union>>> known_;
};

}  // namespace cpbench
