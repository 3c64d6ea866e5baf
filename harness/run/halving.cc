#include "harness/run/halving.h"

#include <algorithm>
#include <limits>

namespace cpbench {
namespace {

double or_infinity(const std::optional<double>& seconds) {
  return seconds.value_or(std::numeric_limits<double>::infinity());
}

size_t quarter_of(size_t count) { return (count + kHalvingFactor - 1) / kHalvingFactor; }

}  // namespace

std::vector<int32_t> rounds_of(int32_t packs) {
  std::vector<int32_t> rounds;
  for (int32_t round = 1; round < packs; round *= kHalvingFactor) rounds.push_back(round);
  rounds.push_back(packs);
  return rounds;
}

double cost_after(size_t round, size_t candidates, int32_t packs) {
  const std::vector<int32_t> rounds = rounds_of(packs);
  double runs = 0;
  while (++round < rounds.size()) {
    candidates = std::min(candidates, quarter_of(candidates) + 1);
    runs += static_cast<double>(candidates) * rounds[round];
  }
  return runs;
}

std::vector<size_t> survivors(const std::vector<std::optional<double>>& seconds) {
  std::vector<size_t> order;
  for (size_t i = 0; i < seconds.size(); ++i) {
    if (seconds[i]) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](size_t i) { return *seconds[i]; });
  order.resize(quarter_of(order.size()));
  order.push_back(0);
  std::ranges::sort(order);
  order.erase(std::unique(order.begin(), order.end()), order.end());
  return order;
}

size_t winner(const std::vector<std::optional<double>>& seconds) {
  constexpr double kWorthwhile = 0.995;  // of the time; options that gain less are not worth a line
  const auto best = std::ranges::min_element(seconds, {}, or_infinity);
  if (!(or_infinity(*best) < kWorthwhile * or_infinity(seconds.front()))) return 0;
  return static_cast<size_t>(best - seconds.begin());
}

}  // namespace cpbench
