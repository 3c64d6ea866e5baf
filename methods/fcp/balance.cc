#include "methods/fcp/balance.h"

#include <algorithm>
#include <numeric>

#include "methods/fcp/bounds.h"

namespace cpbench::fcp {
namespace {

double max_over_mean(const std::vector<int64_t>& values) {
  const int64_t total = std::accumulate(values.begin(), values.end(), int64_t{0});
  if (total == 0) return 1;
  const int64_t most = *std::max_element(values.begin(), values.end());
  return static_cast<double>(most) * static_cast<double>(values.size()) /
         static_cast<double>(total);
}

}  // namespace

double compute_imbalance(const std::vector<Unit>& units, const std::vector<int32_t>& rank_of,
                         int32_t ranks) {
  std::vector<int64_t> pairs(ranks);
  for (size_t u = 0; u < units.size(); ++u) pairs[rank_of[u]] += units[u].pairs;
  return max_over_mean(pairs);
}

Balance balance_of(const Problem& problem, const Schedule& schedule) {
  std::vector<int64_t> tokens(problem.ranks()), sent = tokens, received = tokens;
  int64_t largest = 0, total = 0;
  for (size_t u = 0; u < schedule.units.units.size(); ++u) {
    const Unit& unit = schedule.units.units[u];
    tokens[schedule.rank_of[u]] += unit.size;
    largest = std::max(largest, unit.pairs);
    total += unit.pairs;
  }
  for (const Transfer& t : schedule.needs.transfers) {
    const int64_t size = schedule.sets.size_of(t.tokens);
    sent[t.from] += size;
    received[t.to] += size;
  }
  const double mean = static_cast<double>(total) / problem.ranks();
  const int64_t bound = least_work(schedule.units.units, problem.ranks(), schedule.token_limit);
  return {compute_imbalance(schedule.units.units, schedule.rank_of, problem.ranks()),
          max_over_mean(tokens),
          max_over_mean(sent),
          max_over_mean(received),
          static_cast<double>(largest) / mean,
          std::max(1.0, static_cast<double>(bound) / mean)};
}

}  // namespace cpbench::fcp
