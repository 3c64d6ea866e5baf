#include "harness/plan/set_family.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cpbench {

SetFamily::SetFamily(const RangeSets& sets, SetUnions& unions, std::vector<SetId> members)
    : sets_(sets), unions_(unions), members_(std::move(members)) {
  std::sort(members_.begin(), members_.end());
  members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
  all_ = &unions_.of(members_);
}

Ranges SetFamily::subtract_union(RangeSpan a, std::vector<SetId> list) const {
  if (a.empty() || list.empty()) return Ranges(a.begin(), a.end());
  std::sort(list.begin(), list.end());
  std::optional<std::vector<SetId>> few = lacking(list);
  if (!few && list.size() <= kNotKept) return subtract(a, unions_.made(list).united);
  if (!few) return subtract(a, unions_.of(std::move(list)).united);
  Ranges rest = subtract(a, all_->united);
  for (SetId id : *few) rest = unite(rest, intersect(a, sets_[id]));
  return rest;
}

bool SetFamily::disjoint(std::vector<SetId> list, SetId other) const {
  if (list.empty() || (list.size() == 1 && other == RangeSets::kEmpty)) return true;
  if (other != RangeSets::kEmpty) list.push_back(other);
  std::sort(list.begin(), list.end());
  std::vector<SetId> inside, outside;  // members of the family, and other sets
  for (SetId id : list) {
    bool member = std::binary_search(members_.begin(), members_.end(), id);
    (member ? inside : outside).push_back(id);
  }
  const bool distinct = std::adjacent_find(inside.begin(), inside.end()) == inside.end();
  if (outside.empty() && distinct && all_->disjoint()) return true;
  std::optional<std::vector<SetId>> few = lacking(inside);
  if (few && outside.size() <= kFew) {
    for (SetId id : outside) {
      Ranges common = intersect(sets_[id], all_->united);
      for (SetId absent : *few) common = subtract(common, sets_[absent]);
      if (!common.empty()) return false;
    }
    return unions_.of(std::move(outside)).disjoint();
  }
  const SetClusters& clusters = unions_.clusters();
  std::sort(list.begin(), list.end(), [&clusters](SetId a, SetId b) {
    return std::pair(clusters.of(a), a) < std::pair(clusters.of(b), b);
  });
  for (auto begin = list.begin(); begin != list.end();) {
    auto end = std::find_if(begin, list.end(),
                            [&](SetId id) { return clusters.of(id) != clusters.of(*begin); });
    const std::span<const SetId> cluster(begin, end);
    if (cluster.size() > 1 &&
        (one_begins_in_largest(cluster) || !unions_.of({begin, end}).disjoint())) {
      return false;
    }
    begin = end;
  }
  return true;
}

bool SetFamily::one_begins_in_largest(std::span<const SetId> list) const {
  const auto largest =
      std::ranges::max_element(list, {}, [&](SetId id) { return sets_.size_of(id); });
  for (auto it = list.begin(); it != list.end(); ++it) {
    if (it == largest || sets_[*it].empty()) continue;
    const int64_t first = sets_[*it].front().begin;
    if (contains(sets_[*largest], Range{first, first + 1})) return true;
  }
  return false;
}

std::optional<std::vector<SetId>> SetFamily::lacking(const std::vector<SetId>& list) const {
  if (!all_->disjoint() || list.size() > members_.size() || members_.size() - list.size() > kFew) {
    return std::nullopt;
  }
  bool distinct = std::adjacent_find(list.begin(), list.end()) == list.end();
  if (!distinct || !std::includes(members_.begin(), members_.end(), list.begin(), list.end())) {
    return std::nullopt;
  }
  std::vector<SetId> few;
  std::set_difference(members_.begin(), members_.end(), list.begin(), list.end(),
                      std::back_inserter(few));
  return few;
}

}  // namespace cpbench
