// Arithmetic on unions of lists of sets, for lists that hold all but a few members of one family.
//
// Example: rank r of N receives the shards of all other ranks. These are N different lists of N - 1
// sets, but each of them is the family of all shards without one member. So the family is united
// once, and the few missing members are corrected for.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "harness/plan/set_unions.h"

namespace cpbench {

class SetFamily {
 public:
  SetFamily(const RangeSets& sets, SetUnions& unions, std::vector<SetId> members);

  // `a` without the union of `list`.
  Ranges subtract_union(RangeSpan a, std::vector<SetId> list) const;
  // Whether the sets of `list` are pairwise disjoint, and disjoint from `other`. A set that is
  // listed twice is not disjoint from itself.
  bool disjoint(std::vector<SetId> list, SetId other) const;

 private:
  // The members that the sorted list lacks. Nothing if the family is not disjoint, if the list
  // holds other sets or a set twice, or if it lacks more than kFew members.
  std::optional<std::vector<SetId>> lacking(const std::vector<SetId>& list) const;

  // Whether some set begins inside the largest one: most lists that are not disjoint have one.
  bool one_begins_in_largest(std::span<const SetId> list) const;

  static constexpr size_t kFew = 4;
  static constexpr size_t kNotKept = 8;  // unions of more sets are worth their memory
  const RangeSets& sets_;
  SetUnions& unions_;
  std::vector<SetId> members_;  // sorted, distinct
  const SetUnions::Union* all_;
};

}  // namespace cpbench
