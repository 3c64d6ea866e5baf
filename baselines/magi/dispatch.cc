#include "baselines/magi/dispatch.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

namespace cpbench::magi {

std::vector<int32_t> dispatch(const std::vector<int64_t>& areas, int32_t ranks) {
  const int64_t chunks = static_cast<int64_t>(areas.size());
  const int64_t share = (chunks + ranks - 1) / ranks;
  std::vector<int64_t> order(chunks);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return areas[a] != areas[b] ? areas[a] > areas[b] : a > b;
  });
  using LoadedRank = std::pair<int64_t, int32_t>;
  std::priority_queue<LoadedRank, std::vector<LoadedRank>, std::greater<>> open;
  for (int32_t r = 0; r < ranks; ++r) open.emplace(0, r);
  std::vector<int64_t> held(ranks, 0);
  std::vector<int32_t> rank_of(chunks, 0);
  for (int64_t chunk : order) {
    const auto [load, rank] = open.top();
    open.pop();
    rank_of[chunk] = rank;
    // A rank with its full share leaves. ranks * share >= chunks, so one rank is always open.
    if (++held[rank] < share) open.emplace(load + areas[chunk], rank);
  }
  return rank_of;
}

}  // namespace cpbench::magi
