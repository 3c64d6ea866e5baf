// Arithmetic on unions of lists of sets, where most lists hold all but a few members of one family.
//
// Rank r of N receives the shards of all others: N lists of N - 1 sets, all different, yet each is
// the family of all shards without one. So the family is united once, and the few are made up for.
#pragma once

#include <optional>
#include <vector>

#include "harness/plan/set_unions.h"

namespace cpbench {

class SetFamily {
 public:
  SetFamily(const RangeSets& sets, SetUnions& unions, std::vector<SetId> members);

  // `a` without the union of `list`.
  Ranges subtract_union(RangeSpan a, std::vector<SetId> list) const;
  // Whether the sets of `list` are pairwise disjoint and disjoint from `other`. A set listed twice
  // is not disjoint from itself.
  bool disjoint(std::vector<SetId> list, SetId other) const;

 private:
  // The members that the sorted list lacks, if the family is disjoint, the list holds nothing else
  // and nothing twice, and they are few.
  std::optional<std::vector<SetId>> lacking(const std::vector<SetId>& list) const;

  static constexpr size_t kFew = 4;
  const RangeSets& sets_;
  SetUnions& unions_;
  std::vector<SetId> members_;  // sorted, distinct
  const SetUnions::Union* all_;
};

}  // namespace cpbench
