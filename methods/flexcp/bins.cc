#include "methods/flexcp/bins.h"

#include <algorithm>
#include <bit>
#include <set>

namespace cpbench::flexcp {
namespace {

// The first of many rooms that is large enough, in logarithmic time: a tree of maxima.
class Rooms {
 public:
  Rooms(int32_t count, int64_t capacity)
      : leaves_(std::bit_ceil(static_cast<size_t>(count))), most_(2 * leaves_, -1) {
    for (int32_t i = 0; i < count; ++i) most_[leaves_ + i] = capacity;
    for (size_t i = leaves_ - 1; i > 0; --i) most_[i] = std::max(most_[2 * i], most_[2 * i + 1]);
  }
  // Takes `tokens` from the first room that has them; its index, or -1.
  int32_t take(int64_t tokens) {
    if (most_[1] < tokens) return -1;
    size_t node = 1;
    while (node < leaves_) node = 2 * node + (most_[2 * node] < tokens);
    const auto found = static_cast<int32_t>(node - leaves_);
    most_[node] -= tokens;
    while (node /= 2) most_[node] = std::max(most_[2 * node], most_[2 * node + 1]);
    return found;
  }

 private:
  size_t leaves_;
  std::vector<int64_t> most_;
};

}  // namespace

std::vector<Bin> best_fit(const Loads& loads, const Items& items, int64_t tokens_per_rank) {
  std::vector<Bin> bins;
  std::set<std::pair<int64_t, int32_t>> rooms;  // tokens of room, bin
  for (int32_t item : items) {
    const int64_t tokens = loads[item].tokens;
    int64_t room = 0;
    int32_t bin = 0;
    // Later sequences are no longer, so they never need more ranks than an open bin has.
    const auto fit = rooms.lower_bound({tokens, 0});
    if (fit != rooms.end()) {
      room = fit->first;
      bin = fit->second;
      rooms.erase(fit);
    } else {
      bin = static_cast<int32_t>(bins.size());
      bins.emplace_back();
      const int64_t ranks = (tokens + tokens_per_rank - 1) / tokens_per_rank;
      bins[bin].least_ranks = static_cast<int32_t>(ranks);
      room = ranks * tokens_per_rank;
    }
    bins[bin].add(item, loads[item]);
    rooms.emplace(room - tokens, bin);
  }
  return bins;
}

std::optional<std::vector<Bin>> first_fit(const Loads& loads, const Items& items, int32_t buckets,
                                          int64_t capacity) {
  std::vector<Bin> bins(buckets);
  Rooms rooms(buckets, capacity);
  for (int32_t item : items) {
    const int32_t bin = rooms.take(loads[item].tokens);
    if (bin < 0) return std::nullopt;
    bins[bin].add(item, loads[item]);
  }
  return bins;
}

std::vector<Items> deal(const Loads& loads, const Items& items, int32_t parts) {
  std::vector<Items> dealt(parts);
  std::set<std::pair<int64_t, int32_t>> fullness;  // tokens so far, part
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
