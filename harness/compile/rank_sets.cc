#include "harness/compile/rank_sets.h"

#include <algorithm>
#include <utility>

namespace cpbench {
namespace {

uint64_t pair_of(SetId a, SetId b) {
  if (a > b) std::swap(a, b);
  return static_cast<uint64_t>(a) << 32 | static_cast<uint32_t>(b);
}

}  // namespace

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

void RowCursor::add_tokens(int32_t row, int32_t rows, Ranges& tokens) {
  int64_t begin = token_at(row);
  while (true) {
    const int64_t end = std::min(ranges_[at_].end, begin + rows);
    tokens.push_back({begin, end});
    rows -= static_cast<int32_t>(end - begin);
    if (rows == 0) return;
    begin = ranges_[++at_].begin;
  }
}

PlanSets::PlanSets(const RangeSets& plan_sets, const std::vector<SetId>& plan_homes)
    : sets(plan_sets), homes(plan_homes) {
  struct Piece {
    int64_t begin;
    int32_t rank;
  };
  std::vector<Piece> pieces;
  for (size_t rank = 0; rank < homes.size(); ++rank) {
    for (const Range& r : sets[homes[rank]]) {
      pieces.push_back({r.begin, static_cast<int32_t>(rank)});
    }
  }
  std::ranges::sort(pieces, {}, &Piece::begin);
  first_rows.reserve(sets.count());
  home.assign(sets.count(), -1);
  for (SetId set = 0; set < sets.count(); ++set) {
    first_rows.push_back(first_rows_of(sets[set]));
    if (sets[set].empty() || pieces.empty()) continue;
    const auto after = std::ranges::upper_bound(pieces, sets[set].front().begin, {}, &Piece::begin);
    if (after == pieces.begin()) continue;
    const int32_t rank = std::prev(after)->rank;
    if (contains_all(sets[homes[rank]], sets[set])) home[set] = rank;
  }
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

SetId RankSets::intern(RangeSpan normal) {
  const uint64_t hash = hash_of(normal);
  if (const SetId known = shared_.sets.find(normal, hash); known != RangeSets::kNone) return known;
  if (const SetId known = own_.find(normal, hash); known != RangeSets::kNone) {
    return plan_count() + known;
  }
  const SetId fresh = own_.intern(Ranges(normal.begin(), normal.end()), hash);
  own_info_.resize(own_.count());
  return plan_count() + fresh;
}

SetId RankSets::intern_part(RangeSpan normal, SetId whole) {
  if (cpbench::size_of(normal) == size_of(whole)) return whole;
  const SetId set = intern(normal);
  if (set >= plan_count()) {
    SetInfo& info = own_info_[set - plan_count()];
    if (info.whole == RangeSets::kNone) info.whole = whole;
    if (info.home < 0) info.home = home_of(whole);
  }
  return set;
}

// Follows the sets that a part is known to be a part of.
bool RankSets::known_part(SetId part, SetId whole) const {
  while (part != whole && part >= plan_count()) part = own_info_[part - plan_count()].whole;
  if (part == whole) return true;
  return part >= 0 && home_of(part) >= 0 && shared_.homes[home_of(part)] == whole;
}

RankSets::Relation RankSets::relation(SetId a, SetId b) const {
  if (a == RangeSets::kEmpty || b == RangeSets::kEmpty) return Relation::disjoint;
  const int32_t home_a = home_of(a), home_b = home_of(b);
  if (home_a >= 0 && home_b >= 0 && home_a != home_b) return Relation::disjoint;
  if (known_part(a, b)) return Relation::a_in_b;
  if (known_part(b, a)) return Relation::b_in_a;
  return Relation::unknown;
}

SetId RankSets::intersect(SetId a, SetId b) {
  switch (relation(a, b)) {
    case Relation::disjoint:
      return RangeSets::kEmpty;
    case Relation::a_in_b:
      return a;
    case Relation::b_in_a:
      return b;
    case Relation::unknown:
      break;
  }
  const auto [found, fresh] = intersections_.try_emplace(pair_of(a, b), RangeSets::kEmpty);
  if (fresh) {
    const Ranges common = cpbench::intersect((*this)[a], (*this)[b]);
    const SetId smaller = size_of(a) < size_of(b) ? a : b;
    found->second = intern_part(common, smaller);
  }
  return found->second;
}

int64_t RankSets::size_of_intersection(SetId a, SetId b) {
  switch (relation(a, b)) {
    case Relation::disjoint:
      return 0;
    case Relation::a_in_b:
      return size_of(a);
    case Relation::b_in_a:
      return size_of(b);
    case Relation::unknown:
      break;
  }
  const auto [found, fresh] = sizes_.try_emplace(pair_of(a, b), 0);
  if (fresh) found->second = cpbench::size_of_intersection((*this)[a], (*this)[b]);
  return found->second;
}

bool RankSets::contains(SetId outer, SetId inner) {
  if (inner == RangeSets::kEmpty) return true;
  if (size_of(inner) > size_of(outer)) return false;
  // Most sets that are not inside begin outside.
  return known_part(inner, outer) || (cpbench::contains((*this)[outer], (*this)[inner].front()) &&
                                      size_of_intersection(outer, inner) == size_of(inner));
}

RowCursor RankSets::rows(SetId set) {
  if (set < plan_count()) return {(*this)[set], shared_.first_rows[set]};
  std::vector<int32_t>& first = own_info_[set - plan_count()].first_rows;
  if (first.empty()) first = first_rows_of((*this)[set]);
  return {(*this)[set], first};
}

}  // namespace cpbench
