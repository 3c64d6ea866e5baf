#include "baselines/zeppelin/remap.h"

#include <algorithm>

namespace cpbench::zeppelin {
namespace {

// The last `count` tokens of the set, which lose these.
Ranges take_last(Ranges& set, int64_t count) {
  Ranges taken;
  while (count > 0) {
    Range& last = set.back();
    const int64_t size = std::min(count, last.size());
    taken.push_back({last.end - size, last.end});
    last.end -= size;
    count -= size;
    if (last.size() == 0) set.pop_back();
  }
  std::reverse(taken.begin(), taken.end());
  return taken;
}

}  // namespace

std::vector<Move> remap(const std::vector<Ranges>& attended, const Cluster& cluster) {
  const auto ranks = static_cast<int32_t>(attended.size());
  std::vector<Ranges> left = attended;
  std::vector<int64_t> surplus;  // tokens beyond the rank's share; negative: room
  int64_t tokens = 0;
  for (const Ranges& set : attended) tokens += size_of(set);
  for (int32_t r = 0; r < ranks; ++r) {
    surplus.push_back(size_of(attended[r]) - tokens / ranks - (r < tokens % ranks ? 1 : 0));
  }
  std::vector<Move> moves;
  const auto level = [&](int32_t begin, int32_t end) {
    int32_t to = begin;
    for (int32_t from = begin; from < end; ++from) {
      while (surplus[from] > 0) {
        while (to < end && surplus[to] >= 0) ++to;
        if (to == end) return;
        const int64_t count = std::min(surplus[from], -surplus[to]);
        moves.push_back({from, to, take_last(left[from], count)});
        surplus[from] -= count;
        surplus[to] += count;
      }
    }
  };
  for (int32_t node = 0; node < cluster.nodes; ++node) {
    level(node * cluster.gpus_per_node, (node + 1) * cluster.gpus_per_node);
  }
  level(0, ranks);
  return moves;
}

}  // namespace cpbench::zeppelin
