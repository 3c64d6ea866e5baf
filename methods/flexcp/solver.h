// The whole decision: micro-batches, groups, degrees. Pure, without a clock.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "methods/flexcp/bins.h"

namespace cpbench::flexcp {

struct Solution {
  std::vector<std::vector<Bin>> micro_batches;
  double seconds = 0;  // by GroupCost: the slowest bin of each micro-batch, added up

  // Of the best static degree, which the flexible solution is compared with; 0 for a static one.
  int32_t best_static_degree = 0;
  double best_static_seconds = 0;
};

struct Limits {
  int32_t ranks = 0;
  int64_t tokens_per_rank = 0;  // of one micro-batch
};

// 2 T / N, rounded up: what best fit needs at most to do with one micro-batch (bins.h).
int64_t default_tokens_per_rank(int64_t tokens, int32_t ranks);

// Flexible degrees. Never slower, by GroupCost, than any static degree: the bins of the best static
// one are a candidate beside those of best fit, and get flexible degrees in their turn. Throws
// Unsupported if some sequence exceeds what all ranks hold.
Solution solve(const Loads& loads, const Limits& limits, const GroupCost& cost);

// The same degree for all: first-fit decreasing into ranks / degree buckets, at the least capacity
// (in quarters from even shares to the limit) that takes all sequences. Throws Unsupported if the
// degree does not divide the ranks or some sequence exceeds what one bucket holds.
Solution solve_static(const Loads& loads, const Limits& limits, int32_t degree,
                      const GroupCost& cost);

}  // namespace cpbench::flexcp
