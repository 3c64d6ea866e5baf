// Sets of integers (tokens of a batch, or ranks) as sorted half-open ranges, and a pool that
// stores each distinct set once and names it by index.
//
//   RangeSets sets;
//   SetId a = sets.intern({{0, 4}, {8, 12}});   // tokens 0-3 and 8-11
//   sets.size_of(a) == 8
//
// Normal form: sorted, disjoint, no empty range, no two adjacent ranges. Every function here
// expects normal form and returns it; `normalise` makes it.
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

Ranges normalise(Ranges ranges);  // any order, overlaps and empty ranges allowed
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

using SetId = int32_t;

class RangeSets {
 public:
  static constexpr SetId kEmpty = 0;  // the empty set is in every pool

  RangeSets();
  SetId intern(Ranges normal) {
    const uint64_t hash = hash_of(normal);
    return intern(std::move(normal), hash);
  }
  SetId intern(Range range) { return intern(normalise({range})); }
  static constexpr SetId kNone = -1;
  // kNone if it is not in the pool. `hash` is that of hash_of: one for many pools.
  SetId find(RangeSpan normal, uint64_t hash) const;
  SetId intern(Ranges normal, uint64_t hash);

  RangeSpan operator[](SetId id) const { return sets_[id]; }
  int64_t size_of(SetId id) const { return sizes_[id]; }
  int32_t count() const { return static_cast<int32_t>(sizes_.size()); }
  bool valid(SetId id) const { return id >= 0 && id < count(); }
  bool operator==(const RangeSets& other) const { return sets_ == other.sets_; }

 private:
  std::vector<Ranges> sets_;  // one allocation each: a pool of many ranges never moves them
  std::vector<int64_t> sizes_;
  std::unordered_multimap<uint64_t, SetId> by_hash_;
};

}  // namespace cpbench
