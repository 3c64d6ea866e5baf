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

PlanSets::PlanSets(const RangeSets& plan_sets, const std::vector<SetId>& plan_homes,
                   std::optional<DocumentCut> plan_cut, const std::vector<SetId>& sent)
    : sets(plan_sets), homes(plan_homes), cut(std::move(plan_cut)) {
  first_rows.reserve(sets.count());
  for (SetId set = 0; set < sets.count(); ++set) first_rows.push_back(first_rows_of(sets[set]));
  home = containers(sets, homes);
  in_pieces.resize(sets.count());
  if (cut) return;
  bool disjoint = true;
  for_each_piece(sets, sent, [&](const Piece& piece) {
    disjoint &= pieces.empty() || pieces.back().range.end <= piece.range.begin;
    if (disjoint) pieces.push_back(piece);
  });
  if (!disjoint) pieces.clear();
  for (const Piece& piece : pieces) in_pieces[piece.set] = true;
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

RangeSpan RankSets::listed(const OwnSet& set) {
  if (set.ranges.empty()) set.ranges = set.list();
  return set.ranges;
}

SetId RankSets::add(OwnSet set) {
  own_.push_back(std::move(set));
  return plan_count() + static_cast<SetId>(own_.size()) - 1;
}

SetId RankSets::intern(RangeSpan normal) {
  const uint64_t hash = hash_of(normal);
  if (const SetId known = shared_.sets.find(normal, hash); known != RangeSets::kNone) return known;
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto known = first; known != last; ++known) {
    if (std::ranges::equal((*this)[known->second], normal)) return known->second;
  }
  const SetId set =
      add({.size = cpbench::size_of(normal), .ranges = {normal.begin(), normal.end()}});
  by_hash_.emplace(hash, set);
  return set;
}

SetId RankSets::intern_part(RangeSpan normal, SetId whole) {
  if (cpbench::size_of(normal) == size_of(whole)) return whole;
  const SetId set = intern(normal);
  if (set >= plan_count()) {
    OwnSet& own = own_[set - plan_count()];
    if (own.whole == RangeSets::kNone) own.whole = whole;
    if (own.home < 0) own.home = home_of(whole);
    if (own.member < 0) own.member = member_of(whole);
  }
  return set;
}

SetId RankSets::describe_part(int64_t size, SetId whole, List list, Seen seen) {
  if (size == 0) return RangeSets::kEmpty;
  if (size == size_of(whole)) return whole;
  return add({.size = size,
              .home = home_of(whole),
              .member = member_of(whole),
              .seen = seen,
              .whole = whole,
              .list = std::move(list)});
}

SetId RankSets::subtract(SetId set, SetId other) {
  if (is_described(other) && known_part(other, set)) {
    return describe_part(size_of(set) - size_of(other), set,
                         [=, this] { return cpbench::subtract((*this)[set], (*this)[other]); });
  }
  const SetId rest = intern_part(cpbench::subtract((*this)[set], (*this)[other]), set);
  if (!shared_.cut || rest < plan_count()) return rest;
  OwnSet& own = own_[rest - plan_count()];
  const DocumentCut& cut = *shared_.cut;
  if (set < plan_count()) {
    const bool part = other < plan_count() && cut.member(set) >= 0 &&
                      cut.container(other) == cut.member(set) && cut.index(other) >= 0;
    if (part && own.whole == set) own.minus = other;
  } else if (const Seen& seen = own_[set - plan_count()].seen;
             seen.queries >= 0 && member_of(other) == seen.queries) {
    own.seen = seen;  // it says nothing of this member
  }
  return rest;
}

// Follows the sets that a part is known to be a part of.
bool RankSets::known_part(SetId part, SetId whole) const {
  while (part != whole && part >= plan_count()) part = own_[part - plan_count()].whole;
  if (part == whole) return true;
  if (part < 0) return false;
  return (home_of(part) >= 0 && shared_.homes[home_of(part)] == whole) ||
         (member_of(part) >= 0 && shared_.cut->members()[member_of(part)] == whole);
}

std::optional<int64_t> RankSets::described_intersection(SetId a, SetId b) {
  if (a < plan_count()) std::swap(a, b);
  if (a < plan_count() || !shared_.cut) return std::nullopt;
  const DocumentCut& cut = *shared_.cut;
  if (b >= plan_count()) {  // a member without a part of it
    if (own_[a - plan_count()].minus != RangeSets::kNone) std::swap(a, b);
    const OwnSet& rest = own_[b - plan_count()];
    if (rest.minus == RangeSets::kNone || own_[a - plan_count()].whole != rest.whole) {
      return std::nullopt;
    }
    const std::optional<int64_t> other = described_intersection(a, rest.minus);
    return other ? std::optional(size_of(a) - *other) : std::nullopt;
  }
  const Seen& seen = own_[a - plan_count()].seen;
  const int32_t other = cut.index(b);
  if (other < 0) return std::nullopt;
  int64_t size = 0;
  if (seen.queries >= 0 && seen.keys >= 0) {
    if (cut.container(b) != (seen.seeing ? seen.queries : seen.keys)) return std::nullopt;
    const auto [queries, keys] =
        seen.seeing ? std::pair(other, seen.keys) : std::pair(seen.queries, other);
    const DocumentCut::Total total = cut.total(queries, keys);
    size = seen.seeing ? total.queries : total.keys;
  } else {
    const bool own = cut.container(b) == seen.queries;
    if (seen.queries < 0 || own || !cut.describes(seen.queries, other)) return std::nullopt;
    const auto [found, fresh] = seen_sizes_.try_emplace({seen.queries, other}, 0);
    if (fresh) found->second = cut.total(seen.queries, other).keys;
    size = found->second;
  }
  return size;
}

RankSets::Relation RankSets::relation(SetId a, SetId b) const {
  if (a == RangeSets::kEmpty || b == RangeSets::kEmpty) return Relation::disjoint;
  const int32_t home_a = home_of(a), home_b = home_of(b);
  if (home_a >= 0 && home_b >= 0 && home_a != home_b) return Relation::disjoint;
  const int32_t member_a = member_of(a), member_b = member_of(b);
  if (member_a >= 0 && member_b >= 0 && member_a != member_b) return Relation::disjoint;
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
  if (!fresh) return found->second;
  if (is_described(a) || is_described(b)) {
    if (const std::optional<int64_t> size = described_intersection(a, b)) {
      const SetId part = is_described(a) ? a : b;
      return found->second = describe_part(
                 *size, part, [=, this] { return cpbench::intersect((*this)[a], (*this)[b]); });
    }
  }
  const Ranges common = cpbench::intersect((*this)[a], (*this)[b]);
  const SetId smaller = size_of(a) < size_of(b) ? a : b;
  return found->second = intern_part(common, smaller);
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
  if (!fresh) return found->second;
  if (const std::optional<int64_t> described = described_intersection(a, b)) {
    return found->second = *described;
  }
  const auto [sent, own] = std::minmax({a, b});
  if (own < plan_count() || sent >= plan_count() || !shared_.in_pieces[sent]) {
    return found->second = cpbench::size_of_intersection((*this)[a], (*this)[b]);
  }
  if (!std::exchange(own_[own - plan_count()].measured, true)) measure(own);
  return sizes_[pair_of(a, b)];
}

void RankSets::measure(SetId set) {
  auto at = shared_.pieces.begin();
  for (const Range& range : (*this)[set]) {
    at = std::partition_point(at, shared_.pieces.end(),
                              [&](const Piece& piece) { return piece.range.end <= range.begin; });
    for (auto piece = at; piece != shared_.pieces.end() && piece->range.begin < range.end;
         ++piece) {
      const auto [begin, end] = piece->range;
      sizes_[pair_of(set, piece->set)] += std::min(end, range.end) - std::max(begin, range.begin);
    }
  }
}

bool RankSets::contains(SetId outer, SetId inner) {
  if (inner == RangeSets::kEmpty) return true;
  if (size_of(inner) > size_of(outer)) return false;
  const int32_t member_outer = member_of(outer), member_inner = member_of(inner);
  if (member_outer >= 0 && member_inner >= 0 && member_outer != member_inner) return false;
  if (is_described(inner) && !known_part(inner, outer)) {
    return size_of_intersection(outer, inner) == size_of(inner);
  }
  // Most sets that are not inside begin outside.
  return known_part(inner, outer) || (cpbench::contains((*this)[outer], (*this)[inner].front()) &&
                                      size_of_intersection(outer, inner) == size_of(inner));
}

RowCursor RankSets::rows(SetId set) {
  if (set < plan_count()) return {(*this)[set], shared_.first_rows[set]};
  std::vector<int32_t>& first = own_[set - plan_count()].first_rows;
  if (first.empty()) first = first_rows_of((*this)[set]);
  return {(*this)[set], first};
}

}  // namespace cpbench
