#include "methods/flexcp/solver.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "harness/plan/errors.h"
#include "methods/flexcp/micro_batches.h"

namespace cpbench::flexcp {
namespace {

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t tokens_of(const Loads& loads, const Items& items) {
  int64_t tokens = 0;
  for (int32_t item : items) tokens += loads[item].tokens;
  return tokens;
}

void require_room(const Loads& loads, const Items& items, const Limits& limits, int32_t ranks,
                  const std::string& what) {
  const int64_t longest = loads[items.front()].tokens;
  const int64_t needed = divide_up(longest, limits.tokens_per_rank);
  if (needed <= ranks) return;
  throw Unsupported("a sequence of " + std::to_string(longest) + " tokens needs " +
                    std::to_string(needed) + " ranks of " + std::to_string(limits.tokens_per_rank) +
                    " tokens, " + what + " has " + std::to_string(ranks) +
                    "; tokens_per_rank=" + std::to_string(divide_up(longest, ranks)) + " would do");
}

// The fewest micro-batches that could hold all tokens.
int64_t least_micro_batches(const Loads& loads, const Items& items, const Limits& limits) {
  return divide_up(tokens_of(loads, items), limits.ranks * limits.tokens_per_rank);
}

double total_seconds(const std::vector<std::vector<Bin>>& micro_batches, const Cost& cost) {
  double seconds = 0;
  for (const std::vector<Bin>& bins : micro_batches) seconds += slowest_seconds(bins, cost);
  return seconds;
}

Solution with_flexible_degrees(std::vector<std::vector<Bin>> micro_batches, const Limits& limits,
                               const Cost& cost) {
  const int32_t max_degree = std::min(limits.max_degree, limits.ranks);
  for (std::vector<Bin>& bins : micro_batches) {
    for (Bin& bin : bins) bin.least_ranks = std::min(bin.least_ranks, max_degree);
    choose_degrees(bins, limits.ranks, max_degree, cost);
    spend_leftover(bins, limits.ranks, max_degree, limits.leftover, cost);
  }
  const double seconds = total_seconds(micro_batches, cost);
  return {std::move(micro_batches), seconds};
}

Solution flexible(const Loads& loads, const Items& items, const Limits& limits, const Cost& cost) {
  auto bins_of = [&](const Items& part) -> std::optional<std::vector<Bin>> {
    std::vector<Bin> bins = best_fit(loads, part, limits.tokens_per_rank, limits.max_degree);
    int64_t needed = 0;
    for (const Bin& bin : bins) needed += bin.least_ranks;
    if (needed > limits.ranks) return std::nullopt;
    return bins;
  };
  return with_flexible_degrees(
      split(loads, items, least_micro_batches(loads, items, limits), bins_of), limits, cost);
}

Solution fixed(const Loads& loads, const Items& items, const Limits& limits, int32_t degree,
               const Cost& cost) {
  auto bins_of = [&](const Items& part) -> std::optional<std::vector<Bin>> {
    // A tight capacity spreads the tokens evenly; the limit itself would leave buckets empty.
    const int64_t even =
        std::min(divide_up(tokens_of(loads, part), limits.ranks), limits.tokens_per_rank);
    for (int64_t quarter = 0; quarter <= 4; ++quarter) {
      const int64_t capacity = even + (limits.tokens_per_rank - even) * quarter / 4;
      auto bins = first_fit(loads, part, limits.ranks / degree, capacity * degree);
      if (!bins) continue;
      std::erase_if(*bins, [](const Bin& bin) { return bin.sequences.empty(); });
      for (Bin& bin : *bins) {
        bin.degree = degree;
        bin.least_ranks = static_cast<int32_t>(divide_up(bin.load.tokens, limits.tokens_per_rank));
      }
      return bins;
    }
    return std::nullopt;
  };
  Solution solution{split(loads, items, least_micro_batches(loads, items, limits), bins_of)};
  solution.seconds = total_seconds(solution.micro_batches, cost);
  return solution;
}

}  // namespace

int64_t default_tokens_per_rank(int64_t tokens, int32_t ranks) {
  return divide_up(2 * tokens, ranks);
}

Solution solve_static(const Loads& loads, const Limits& limits, int32_t degree, const Cost& cost) {
  if (limits.ranks % degree != 0) {
    throw Unsupported("groups of degree=" + std::to_string(degree) + " do not divide " +
                      std::to_string(limits.ranks) + " ranks");
  }
  const Items items = longest_first(loads);
  require_room(loads, items, limits, degree, "a group");
  return fixed(loads, items, limits, degree, cost);
}

Solution solve(const Loads& loads, const Limits& limits, const Cost& cost) {
  const Items items = longest_first(loads);
  require_room(loads, items, limits, limits.ranks, "the cluster");
  Solution best_static;
  int32_t best_degree = 0;
  for (int32_t degree = 1; degree <= limits.ranks; ++degree) {
    if (limits.ranks % degree != 0) continue;
    if (loads[items.front()].tokens > limits.tokens_per_rank * degree) continue;
    Solution solution = fixed(loads, items, limits, degree, cost);
    if (best_degree != 0 && solution.seconds >= best_static.seconds) continue;
    best_static = std::move(solution);
    best_degree = degree;
  }
  const double static_seconds = best_static.seconds;
  Solution best = flexible(loads, items, limits, cost);
  if (limits.static_bins) {
    Solution relaxed = with_flexible_degrees(std::move(best_static.micro_batches), limits, cost);
    if (relaxed.seconds < best.seconds) best = std::move(relaxed);
  }
  best.best_static_degree = best_degree;
  best.best_static_seconds = static_seconds;
  return best;
}

}  // namespace cpbench::flexcp
