// Unions of lists of sets, each distinct list united once. What makes checking and measuring
// near-linear: all ranks of a ring see the same list.
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
    Ranges doubled;  // what two or more members of the list hold
    bool disjoint() const { return doubled.empty(); }
  };

  explicit SetUnions(const RangeSets& sets) : sets_(sets) {}
  // Order does not matter; a set listed twice is doubled. The reference stays valid.
  const Union& of(std::vector<SetId> list);
  // Made when first asked for.
  const SetClusters& clusters();

 private:
  const RangeSets& sets_;
  std::unique_ptr<SetClusters> clusters_;
  std::unordered_multimap<uint64_t, std::pair<std::vector<SetId>, std::unique_ptr<Union>>> known_;
};

}  // namespace cpbench
