#include "baselines/flexsp/heuristic.h"

#include <algorithm>

namespace cpbench::flexsp {
namespace {

void add(SizedGroup& group, int32_t sequence, const GroupCost::Load& load) {
  group.sequences.push_back(sequence);
  group.load += load;
}

// The smallest allowed size that holds the tokens; 0 if none does.
int32_t least_size(int64_t tokens, const Limits& limits) {
  for (int32_t size : limits.sizes) {
    if (size * limits.capacity >= tokens) return size;
  }
  return 0;
}

std::optional<SizedGroups> smallest_groups(const Loads& loads, const Items& items,
                                           const Limits& limits, const GroupCost& cost) {
  SizedGroups groups;
  int32_t left = limits.ranks;
  for (int32_t item : items) {
    SizedGroup* best = nullptr;
    int64_t least_room = 0;
    for (SizedGroup& group : groups) {
      const int64_t room = group.size * limits.capacity - group.load.tokens;
      if (room < loads[item].tokens || (best != nullptr && room >= least_room)) continue;
      best = &group;
      least_room = room;
    }
    if (best == nullptr) {
      const int32_t size = least_size(loads[item].tokens, limits);
      if (size == 0 || size > left) return std::nullopt;
      left -= size;
      groups.push_back({.size = size, .sequences = {}, .load = {}});
      best = &groups.back();
    }
    add(*best, item, loads[item]);
  }
  while (true) {
    auto slowest = std::max_element(groups.begin(), groups.end(),
                                    [&](const SizedGroup& a, const SizedGroup& b) {
                                      return seconds_of(a, cost) < seconds_of(b, cost);
                                    });
    SizedGroup doubled = *slowest;
    doubled.size *= 2;
    if (slowest->size > left || doubled.size > limits.sizes.back() ||
        seconds_of(doubled, cost) >= seconds_of(*slowest, cost)) {
      return groups;
    }
    left -= slowest->size;
    *slowest = doubled;
  }
}

std::optional<SizedGroups> equal_groups(const Loads& loads, const Items& items,
                                        const Limits& limits, int32_t size, const GroupCost& cost) {
  SizedGroups groups(limits.ranks / size, {.size = size, .sequences = {}, .load = {}});
  for (int32_t item : items) {
    SizedGroup* best = nullptr;
    for (SizedGroup& group : groups) {
      if (group.load.tokens + loads[item].tokens > size * limits.capacity) continue;
      if (best == nullptr || cost.work_seconds(group.load) < cost.work_seconds(best->load)) {
        best = &group;
      }
    }
    if (best == nullptr) return std::nullopt;
    add(*best, item, loads[item]);
  }
  std::erase_if(groups, [](const SizedGroup& group) { return group.sequences.empty(); });
  return groups;
}

}  // namespace

double seconds_of(const SizedGroup& group, const GroupCost& cost) {
  return cost.all_to_all_seconds(group.load, group.size);
}

double slowest_seconds(const SizedGroups& groups, const GroupCost& cost) {
  double slowest = 0;
  for (const SizedGroup& group : groups) slowest = std::max(slowest, seconds_of(group, cost));
  return slowest;
}

std::optional<SizedGroups> group_by_heuristic(const Loads& loads, const Items& items,
                                              const Limits& limits, const GroupCost& cost) {
  std::optional<SizedGroups> best = smallest_groups(loads, items, limits, cost);
  for (int32_t size : limits.sizes) {
    std::optional<SizedGroups> groups = equal_groups(loads, items, limits, size, cost);
    if (!groups) continue;
    if (!best || slowest_seconds(*groups, cost) < slowest_seconds(*best, cost)) {
      best = std::move(groups);
    }
  }
  return best;
}

}  // namespace cpbench::flexsp
