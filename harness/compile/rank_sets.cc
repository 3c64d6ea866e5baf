#include "harness/compile/rank_sets.h"

#include <algorithm>
#include <utility>

namespace cpbench {

std::vector<int32_t> first_rows_of(RangeSpan ranges) {
  std::vector<int32_t> first;
  first.reserve(ranges.size() + 1);
  int32_t row = 0;
  for (const Range& range : ranges) {
    first.push_back(row);
    row += static_cast<int32_t>(range.size());
  }
  first.push_back(row);
  return first;
}

PlanSets::PlanSets(const RangeSets& plan_sets) : sets(plan_sets) {
  first_rows.reserve(sets.count());
  for (SetId set = 0; set < sets.count(); ++set) first_rows.push_back(first_rows_of(sets[set]));
}

int64_t RowCursor::token_at(int32_t row) {
  if (row < first_rows_[at_]) at_ = 0;
  if (at_ >= ranges_.size() || row >= first_rows_[at_ + 1]) {
    if (at_ + 2 < first_rows_.size() && row < first_rows_[at_ + 2]) {
      ++at_;
    } else {
      const auto after = std::upper_bound(first_rows_.begin() + at_, first_rows_.end(), row);
      at_ = after - first_rows_.begin() - 1;
    }
  }
  return ranges_[at_].begin + row - first_rows_[at_];
}

SetId RankSets::intern(RangeSpan normal, SetId hint) {
  if (std::ranges::equal((*this)[hint], normal)) return hint;
  const uint64_t hash = hash_of(normal);
  if (const SetId known = shared_.sets.find(normal, hash); known != RangeSets::kNone) return known;
  if (const SetId known = own_.find(normal, hash); known != RangeSets::kNone) {
    return plan_count() + known;
  }
  return plan_count() + own_.intern(Ranges(normal.begin(), normal.end()), hash);
}

SetId RankSets::intersect(SetId a, SetId b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  const uint64_t key = static_cast<uint64_t>(a) << 32 | static_cast<uint32_t>(b);
  const auto [found, fresh] = intersections_.try_emplace(key, RangeSets::kEmpty);
  if (fresh) {
    const Ranges common = cpbench::intersect((*this)[a], (*this)[b]);
    found->second = intern(common, common.size() == (*this)[a].size() ? a : b);
  }
  return found->second;
}

bool RankSets::contains(SetId outer, SetId inner) {
  if (inner == RangeSets::kEmpty || outer == inner) return true;
  if (size_of(inner) > size_of(outer)) return false;
  // Most sets that are not inside begin outside.
  return cpbench::contains((*this)[outer], (*this)[inner].front()) &&
         intersect(outer, inner) == inner;
}

RowCursor RankSets::rows(SetId set) {
  if (set < plan_count()) return {(*this)[set], shared_.first_rows[set]};
  const size_t own = set - plan_count();
  if (own >= own_first_rows_.size()) own_first_rows_.resize(own_.count());
  std::vector<int32_t>& first = own_first_rows_[own];
  if (first.empty()) first = first_rows_of((*this)[set]);
  return {(*this)[set], first};
}

}  // namespace cpbench
