// The distributor: which rank gets which unit, so that attention work and tokens both balance.
//
// Units are sorted by max(tokens / mean tokens, cells / mean cells), largest first, means per rank.
// Each goes to the rank that minimises
//   max(alpha * (its tokens + t) / mean tokens, beta * (its cells + c) / mean cells)
// among those that stay within mean tokens * (1 + delta). Then local search: while it helps, the
// rank with the most work gives one unit for none, one or two, or two for one, to one of the
// lightest ranks, or if none of these can help, to any.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

struct DistributeOptions {
  double alpha = 1;
  double beta = 1;
  double delta = 0.125;  // >= block / mean tokens: every unit is sure to find a place
  bool local_search = true;
};

// The rank of each unit. Throws Unsupported, with the numbers, where a unit fits nowhere.
std::vector<int32_t> distribute(const std::vector<Unit>& units, int32_t ranks,
                                const DistributeOptions& options);

// Cells that the busiest rank has in any placement: of the k N + 1 largest units on N ranks, some
// rank has k + 1, at least the smallest k + 1 of them. Above the mean, only smaller units balance.
int64_t least_work(const std::vector<Unit>& units, int32_t ranks);

// The most tokens a rank may get: mean * (1 + delta), but never less than the mean rounded up.
int64_t token_limit(int64_t tokens, int32_t ranks, double delta);

}  // namespace cpbench::fcp
