#include "methods/fcp/balance.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cpbench::fcp {
namespace {

double max_over_mean(const std::vector<int64_t>& values) {
  const int64_t total = std::accumulate(values.begin(), values.end(), int64_t{0});
  if (total == 0) return 1;
  const int64_t most = *std::max_element(values.begin(), values.end());
  return static_cast<double>(most) * static_cast<double>(values.size()) /
         static_cast<double>(total);
}

// In cells; see Balance::compute_bound.
int64_t compute_bound(std::vector<int64_t> unit_cells, int32_t ranks) {
  std::sort(unit_cells.rbegin(), unit_cells.rend());
  int64_t bound = 0, each = 0;
  for (size_t i = 0; i < unit_cells.size(); i += ranks) {
    bound = std::max(bound, ++each * unit_cells[i]);
  }
  return bound;
}

}  // namespace

Balance balance_of(const Problem& problem, const Schedule& schedule) {
  std::vector<int64_t> cells(problem.ranks()), tokens = cells, sent = cells, received = cells;
  std::vector<int64_t> unit_cells;
  int64_t total = 0;
  for (size_t u = 0; u < schedule.units.units.size(); ++u) {
    const Unit& unit = schedule.units.units[u];
    cells[schedule.rank_of[u]] += unit.cells;
    tokens[schedule.rank_of[u]] += unit.size;
    unit_cells.push_back(unit.cells);
    total += unit.cells;
  }
  for (const Transfer& t : schedule.needs.transfers) {
    const int64_t size = schedule.sets.size_of(t.tokens);
    sent[t.from] += size;
    received[t.to] += size;
  }
  const double mean = static_cast<double>(total) / problem.ranks();
  const auto largest = *std::max_element(unit_cells.begin(), unit_cells.end());
  const int64_t bound = compute_bound(std::move(unit_cells), problem.ranks());
  return {max_over_mean(cells),
          max_over_mean(tokens),
          max_over_mean(sent),
          max_over_mean(received),
          static_cast<double>(largest) / mean,
          std::max(1.0, static_cast<double>(bound) / mean)};
}

}  // namespace cpbench::fcp
