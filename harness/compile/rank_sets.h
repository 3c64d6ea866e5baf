// The token sets that the buffers of one rank hold: the sets of the plan, which all ranks share,
// followed by the rank's own merged sets. And the row of a token in a buffer that holds a set.
//
//   PlanSets shared(plan.token_sets, plan.home);
//   RankSets sets(shared);               // set a = tokens 0-3 and 8-11
//   RowCursor rows = sets.rows(a);
//   rows.row_at(9) == 5;  rows.row_at(14) == 8  (the first row whose token is >= 14)
//
// Most questions about two sets are answered by what is known about them, without a walk over their
// ranges: homes are disjoint (P2), most sets lie in one of them, and a part of a set is known as a
// part.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

// The first row of each range of a set, followed by the number of rows.
std::vector<int32_t> first_rows_of(RangeSpan ranges);

struct PlanSets {
  // `homes` has the home of each rank; they are disjoint.
  PlanSets(const RangeSets& sets, const std::vector<SetId>& homes);
  const RangeSets& sets;
  const std::vector<SetId>& homes;
  std::vector<std::vector<int32_t>> first_rows;  // by set
  std::vector<int32_t> home;                     // by set: the rank whose home contains it, or -1
};

// The first of the ranges [from, ...) that ends after `token`. Near ranges are found at once,
// others by galloping, so a walk over two sets costs about the size of the smaller one.
inline size_t range_from(RangeSpan ranges, size_t from, int64_t token) {
  size_t step = 1;
  while (from < ranges.size() && ranges[from].end <= token) {
    if (step > 1 && (from + step >= ranges.size() || ranges[from + step].end > token)) step = 1;
    from += step;
    step *= 2;
  }
  return from;
}

// Look-ups in one set. Ascending look-ups are cheap.
class RowCursor {
 public:
  RowCursor(RangeSpan ranges, std::span<const int32_t> first_rows)
      : ranges_(ranges), first_rows_(first_rows) {}

  // The first row whose token is >= `token`.
  int32_t row_at(int64_t token) {
    if (at_ > 0 && token < ranges_[at_ - 1].end) at_ = 0;
    at_ = range_from(ranges_, at_, token);
    const int32_t row = first_rows_[at_];
    if (at_ == ranges_.size() || token <= ranges_[at_].begin) return row;
    return row + static_cast<int32_t>(token - ranges_[at_].begin);
  }
  // The token of a row, which must exist.
  int64_t token_at(int32_t row);
  // Adds the tokens of rows, which must exist.
  void add_tokens(int32_t row, int32_t rows, Ranges& tokens);

 private:
  RangeSpan ranges_;
  std::span<const int32_t> first_rows_;
  size_t at_ = 0;  // the range of the last look-up
};

class RankSets {
 public:
  explicit RankSets(const PlanSets& shared) : shared_(shared), own_info_(own_.count()) {}

  RangeSpan operator[](SetId set) const {
    return set < plan_count() ? shared_.sets[set] : own_[set - plan_count()];
  }
  int64_t size_of(SetId set) const {
    return set < plan_count() ? shared_.sets.size_of(set) : own_.size_of(set - plan_count());
  }
  SetId intern(RangeSpan normal);
  // `normal` must be a part of `whole`, or all of it.
  SetId intern_part(RangeSpan normal, SetId whole);
  SetId intersect(SetId a, SetId b);
  int64_t size_of_intersection(SetId a, SetId b);
  bool contains(SetId outer, SetId inner);
  // The rank whose home is known to contain the tokens, or -1.
  int32_t home_of(SetId set) const {
    return set < plan_count() ? shared_.home[set] : own_info_[set - plan_count()].home;
  }
  RowCursor rows(SetId set);

 private:
  struct SetInfo {  // what is known about one of the rank's own sets
    int32_t home = -1;
    SetId whole = RangeSets::kNone;        // a set that it is a part of
    std::vector<int32_t> first_rows = {};  // empty until it is needed
  };
  enum class Relation : uint8_t { unknown, disjoint, a_in_b, b_in_a };

  SetId plan_count() const { return shared_.sets.count(); }
  bool known_part(SetId part, SetId whole) const;
  Relation relation(SetId a, SetId b) const;

  const PlanSets& shared_;
  RangeSets own_;
  std::vector<SetInfo> own_info_;                      // by set
  std::unordered_map<uint64_t, SetId> intersections_;  // by pair of sets: the same few recur
  std::unordered_map<uint64_t, int64_t> sizes_;        // of intersections, by pair of sets
};

}  // namespace cpbench
