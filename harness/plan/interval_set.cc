#include "harness/plan/interval_set.h"

#include <algorithm>
#include <iterator>

namespace cpbench {
namespace {

// The first range that ends at `token` or later.
template <typename Map>
auto first_reaching(Map& end_of, int64_t token) {
  auto it = end_of.upper_bound(token);
  if (it != end_of.begin() && std::prev(it)->second >= token) --it;
  return it;
}

}  // namespace

Ranges IntervalSet::insert(RangeSpan ranges) {
  Ranges added;
  for (const Range& r : ranges) {
    Range joined = r;
    int64_t at = r.begin;  // what is before it in `r` is in the set
    auto it = first_reaching(end_of_, r.begin);
    while (it != end_of_.end() && it->first <= r.end) {
      extend(added, {at, it->first});
      at = std::max(at, it->second);
      joined = {std::min(joined.begin, it->first), std::max(joined.end, it->second)};
      it = end_of_.erase(it);
    }
    extend(added, {at, r.end});
    end_of_.emplace_hint(it, joined.begin, joined.end);
  }
  return added;
}

Ranges IntervalSet::erase(RangeSpan ranges) {
  Ranges removed;
  for (const Range& r : ranges) {
    auto it = first_reaching(end_of_, r.begin);
    while (it != end_of_.end() && it->first < r.end) {
      const Range held{it->first, it->second};
      it = end_of_.erase(it);
      extend(removed, {std::max(held.begin, r.begin), std::min(held.end, r.end)});
      if (held.begin < r.begin) end_of_.emplace_hint(it, held.begin, std::min(held.end, r.begin));
      if (held.end > r.end) it = end_of_.emplace_hint(it, r.end, held.end);
    }
  }
  return removed;
}

Ranges IntervalSet::missing(RangeSpan ranges) const {
  Ranges out;
  for (const Range& r : ranges) {
    int64_t at = r.begin;
    for (auto it = first_reaching(end_of_, r.begin); it != end_of_.end() && it->first < r.end;
         ++it) {
      extend(out, {at, it->first});
      at = std::max(at, it->second);
    }
    extend(out, {at, r.end});
  }
  return out;
}

Ranges IntervalSet::ranges() const {
  Ranges out;
  for (auto [begin, end] : end_of_) out.push_back({begin, end});
  return out;
}

}  // namespace cpbench
