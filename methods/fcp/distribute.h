// The distributor decides which rank gets which unit, so that both attention work and tokens
// balance.
//
//   std::vector<int32_t> rank_of = distribute(units, 8, {.delta = 0.125});
//
// Units are sorted by max(tokens / mean tokens, pairs / mean pairs), largest first; means are per
// rank. A unit with t tokens and c pairs goes to the rank that minimises
//   max(alpha * (its tokens + t) / mean tokens, beta * (its pairs + c) / mean pairs)
// among the ranks that stay within mean tokens * (1 + delta). Local search (repack.h) then starts
// from this placement, or from a second one if its busiest rank has less work. The second placement
// sorts units only by pairs and compares the tokens of a rank with their limit.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

struct DistributeOptions {
  double alpha = 1;
  double beta = 1;
  double delta = 0.125;  // if >= block / mean tokens, every unit is sure to fit on some rank
  bool local_search = false;
};

// The rank of each unit. Throws Unsupported, with the numbers, if a unit fits on no rank.
std::vector<int32_t> distribute(const std::vector<Unit>& units, int32_t ranks,
                                const DistributeOptions& options);

// The most tokens that a rank may get: mean * (1 + delta), but at least the mean rounded up.
int64_t token_limit(int64_t tokens, int32_t ranks, double delta);

}  // namespace cpbench::fcp
