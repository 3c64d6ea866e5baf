#include "harness/plan/range_sets.h"

#include <algorithm>
#include <utility>

namespace cpbench {
namespace {

using At = RangeSpan::iterator;

At far_after(At from, At end, int64_t token) {
  int64_t stride = 1;
  while (end - from > stride && (from + stride)->end <= token) {
    from += stride;
    stride *= 2;
  }
  return std::partition_point(from, std::min(end, from + stride + 1),
                              [token](const Range& r) { return r.end <= token; });
}

// The first range of [from, end) that ends after `token`. Galloping makes this cheap when the range
// is near and logarithmic when it is far, so a walk over two sets costs about the size of the
// smaller one.
inline At first_after(At from, At end, int64_t token) {
  for (int near = 0; near < 3; ++near, ++from) {  // usually this one or one of the next two
    if (from == end || from->end > token) return from;
  }
  return far_after(from, end, token);
}

// Calls visit(part) for each range of the intersection, in order.
template <typename Visit>
void for_each_common(RangeSpan a, RangeSpan b, const Visit& visit) {
  if (a.size() > b.size()) std::swap(a, b);
  auto at = b.begin();
  for (const Range& r : a) {
    at = first_after(at, b.end(), r.begin);
    for (; at != b.end() && at->begin < r.end; ++at) {
      visit(Range{std::max(r.begin, at->begin), std::min(r.end, at->end)});
      if (at->end > r.end) break;
    }
  }
}

}  // namespace

uint64_t hash_of(RangeSpan ranges) {
  uint64_t hash = 0x243f6a8885a308d3ULL;
  for (const Range& r : ranges) {
    const uint64_t value = static_cast<uint64_t>(r.begin) * 0x9e3779b97f4a7c15ULL +
                           static_cast<uint64_t>(r.end) * 0xc2b2ae3d27d4eb4fULL;
    hash = (hash ^ (hash >> 29) ^ value) * 0xff51afd7ed558ccdULL;
  }
  return hash;
}

Ranges normalise(Ranges ranges) {
  if (is_normal(ranges)) return ranges;
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  Ranges out;
  out.reserve(ranges.size());
  for (const Range& r : ranges) extend(out, r);
  return out;
}

bool is_normal(RangeSpan ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].begin >= ranges[i].end) return false;
    if (i > 0 && ranges[i - 1].end >= ranges[i].begin) return false;
  }
  return true;
}

int64_t size_of(RangeSpan ranges) {
  int64_t total = 0;
  for (const Range& r : ranges) total += r.size();
  return total;
}

Ranges unite(RangeSpan a, RangeSpan b) {
  Ranges out;
  out.reserve(a.size() + b.size());
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    bool take_a = j == b.size() || (i < a.size() && a[i].begin <= b[j].begin);
    extend(out, take_a ? a[i++] : b[j++]);
  }
  return out;
}

Ranges intersect(RangeSpan a, RangeSpan b) {
  Ranges out;
  out.reserve(std::min(a.size(), b.size()));
  for_each_common(a, b, [&](Range part) { out.push_back(part); });
  return out;
}

int64_t size_of_intersection(RangeSpan a, RangeSpan b) {
  int64_t total = 0;
  for_each_common(a, b, [&](Range part) { total += part.size(); });
  return total;
}

Ranges subtract(RangeSpan a, RangeSpan b) {
  Ranges out;
  auto at = b.begin();
  for (const Range& r : a) {
    int64_t begin = r.begin;
    at = first_after(at, b.end(), r.begin);
    for (auto it = at; it != b.end() && it->begin < r.end; ++it) {
      if (begin < it->begin) out.push_back({begin, it->begin});
      begin = it->end;
    }
    if (begin < r.end) out.push_back({begin, r.end});
  }
  return out;
}

bool contains(RangeSpan outer, Range inner) {
  if (inner.begin >= inner.end) return true;
  auto it = first_after(outer.begin(), outer.end(), inner.begin);
  return it != outer.end() && it->begin <= inner.begin && inner.end <= it->end;
}

bool contains_all(RangeSpan outer, RangeSpan inner) {
  auto at = outer.begin();
  for (const Range& r : inner) {
    at = first_after(at, outer.end(), r.begin);
    if (at == outer.end() || at->begin > r.begin || r.end > at->end) return false;
  }
  return true;
}

bool overlap(RangeSpan a, RangeSpan b) {
  if (a.size() > b.size()) std::swap(a, b);
  auto at = b.begin();
  for (const Range& r : a) {
    at = first_after(at, b.end(), r.begin);
    if (at == b.end()) return false;
    if (at->begin < r.end) return true;
  }
  return false;
}

RangeSets::RangeSets() { intern(Ranges{}); }

SetId RangeSets::find(RangeSpan normal, uint64_t hash) const {
  auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (std::ranges::equal(sets_[it->second], normal)) return it->second;
  }
  return kNone;
}

SetId RangeSets::intern(Ranges normal, uint64_t hash) {
  if (SetId known = find(normal, hash); known != kNone) return known;
  SetId id = count();
  normal.shrink_to_fit();
  sizes_.push_back(cpbench::size_of(RangeSpan(normal)));
  sets_.push_back(std::move(normal));
  by_hash_.emplace(hash, id);
  return id;
}

}  // namespace cpbench
