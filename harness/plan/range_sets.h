// Sets of integers (tokens of a batch, or ranks) as sorted half-open ranges, and a pool that stores
// each distinct set once and names it by an index.
//
//   RangeSets sets;
//   SetId a = sets.intern({{0, 4}, {8, 12}});   // tokens 0-3 and 8-11
//   sets.size_of(a) == 8
//
// Normal form: sorted and disjoint, without empty ranges and without two adjacent ranges. Every
// function here expects normal form and returns it; `normalise` makes it.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cpbench {

struct Range {
  int64_t begin = 0;
  int64_t end = 0;  // exclusive
  int64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

using Ranges = std::vector<Range>;
using RangeSpan = std::span<const Range>;

Ranges normalise(Ranges ranges);  // any order; overlaps and empty ranges are allowed
// Adds a range that begins no earlier than the last range of `out`. Joins the two where they touch;
// ignores an empty range.
inline void extend(Ranges& out, Range range) {
  if (range.begin >= range.end) return;
  if (!out.empty() && out.back().end >= range.begin) {
    if (out.back().end < range.end) out.back().end = range.end;
  } else {
    out.push_back(range);
  }
}
bool is_normal(RangeSpan ranges);
int64_t size_of(RangeSpan ranges);
Ranges unite(RangeSpan a, RangeSpan b);
Ranges intersect(RangeSpan a, RangeSpan b);
Ranges subtract(RangeSpan a, RangeSpan b);
int64_t size_of_intersection(RangeSpan a, RangeSpan b);
bool contains(RangeSpan outer, Range inner);
bool contains_all(RangeSpan outer, RangeSpan inner);
bool overlap(RangeSpan a, RangeSpan b);
uint64_t hash_of(RangeSpan ranges);

// Calls visit(member) for every member, ascending.
template <typename Visit>
void for_each_member(RangeSpan ranges, const Visit& visit) {
  for (const Range& r : ranges) {
    for (int64_t member = r.begin; member < r.end; ++member) visit(member);
  }
}

using SetId = int32_t;

class RangeSets {
 public:
  static constexpr SetId kEmpty = 0;  // the empty set, which is in every pool
  static constexpr SetId kNone = -1;  // no set

  RangeSets();
  // The index of the set, which is added if the pool does not have it.
  SetId intern(Ranges normal) {
    const uint64_t hash = hash_of(normal);
    return intern(std::move(normal), hash);
  }
  SetId intern(Range range) { return intern(normalise({range})); }
  // For look-ups of one set in several pools: `hash` must be hash_of(normal).
  SetId intern(Ranges normal, uint64_t hash);
  SetId find(RangeSpan normal, uint64_t hash) const;  // kNone if the pool does not have the set

  RangeSpan operator[](SetId id) const { return sets_[id]; }
  int64_t size_of(SetId id) const { return sizes_[id]; }
  int32_t count() const { return static_cast<int32_t>(sizes_.size()); }
  bool valid(SetId id) const { return id >= 0 && id < count(); }
  bool operator==(const RangeSets& other) const { return sets_ == other.sets_; }

 private:
  std::vector<Ranges> sets_;  // one allocation per set, so a growing pool never moves ranges
  std::vector<int64_t> sizes_;
  std::unordered_multimap<uint64_t, SetId> by_hash_;
};

}  // namespace cpbench
