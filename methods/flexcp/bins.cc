#include "methods/flexcp/bins.h"

#include <algorithm>
#include <set>

#include "harness/strategy/first_fit.h"

namespace cpbench::flexcp {

std::vector<Bin> best_fit(const Loads& loads, const Items& items, int64_t tokens_per_rank,
                          int32_t max_degree) {
  std::vector<Bin> bins;
  std::set<std::pair<int64_t, int32_t>> rooms;  // (tokens of room, bin)
  for (int32_t item : items) {
    const int64_t tokens = loads[item].tokens;
    int64_t room = 0;
    int32_t bin = 0;
    // Later sequences are not longer, so they never need more ranks than an open bin has.
    const auto fit = rooms.lower_bound({tokens, 0});
    if (fit != rooms.end()) {
      room = fit->first;
      bin = fit->second;
      rooms.erase(fit);
    } else {
      bin = static_cast<int32_t>(bins.size());
      bins.emplace_back();
      const int64_t ranks =
          std::min<int64_t>((tokens + tokens_per_rank - 1) / tokens_per_rank, max_degree);
      bins[bin].least_ranks = static_cast<int32_t>(ranks);
      room = std::max(tokens, ranks * tokens_per_rank);
    }
    bins[bin].add(item, loads[item]);
    rooms.emplace(room - tokens, bin);
  }
  return bins;
}

std::optional<std::vector<Bin>> first_fit(const Loads& loads, const Items& items, int32_t buckets,
                                          int64_t capacity) {
  std::vector<Bin> bins(buckets);
  FirstFit rooms(buckets, capacity);
  for (int32_t item : items) {
    const int32_t bin = rooms.take(loads[item].tokens);
    if (bin < 0) return std::nullopt;
    bins[bin].add(item, loads[item]);
  }
  return bins;
}

std::vector<Items> deal(const Loads& loads, const Items& items, int32_t parts) {
  std::vector<Items> dealt(parts);
  std::set<std::pair<int64_t, int32_t>> fullness;  // (tokens so far, part)
  for (int32_t part = 0; part < parts; ++part) fullness.emplace(0, part);
  for (int32_t item : items) {
    auto [tokens, part] = *fullness.begin();
    fullness.erase(fullness.begin());
    dealt[part].push_back(item);
    fullness.emplace(tokens + loads[item].tokens, part);
  }
  return dealt;
}

}  // namespace cpbench::flexcp
