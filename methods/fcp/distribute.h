// The distributor: which rank gets which unit, so that attention work and tokens both balance.
//
// Units are sorted by max(tokens / mean tokens, pairs / mean pairs), largest first, means per rank.
// Each goes to the rank that minimises
//   max(alpha * (its tokens + t) / mean tokens, beta * (its pairs + c) / mean pairs)
// among those that stay within mean tokens * (1 + delta). Then local search (repack.h) from there
// or, if it has less work on its busiest rank, from the placement that sorts by pairs alone and
// takes tokens against their limit.
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

// The most tokens a rank may get: mean * (1 + delta), but never less than the mean rounded up.
int64_t token_limit(int64_t tokens, int32_t ranks, double delta);

}  // namespace cpbench::fcp
