// The whole decision: micro-batches, groups and degrees. It is a pure function, without a clock.
//
//   const Solution solution = solve(loads, {.ranks = 8, .tokens_per_rank = 8192}, cost);
//   solution.micro_batches[0][0].degree   // ranks of the first group of the first micro-batch
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "methods/flexcp/bins.h"
#include "methods/flexcp/degrees.h"

namespace cpbench::flexcp {

struct Solution {
  std::vector<std::vector<Bin>> micro_batches;
  double seconds = 0;  // by Cost: the sum over micro-batches of their slowest bin

  // The best static degree, with which the flexible solution is compared, and its time. 0 in a
  // static solution.
  int32_t best_static_degree = 0;
  double best_static_seconds = 0;
};

struct Limits {
  int32_t ranks = 0;            // >= 1
  int64_t tokens_per_rank = 0;  // of one micro-batch; >= 1
  int32_t max_degree = 32;      // of a group with a flexible degree; >= 1
  Leftover leftover = Leftover::round_robin;
  // Whether the bins of the best static degree, with flexible degrees, are a candidate next to
  // those of best fit. Then no static degree is faster, by Cost, unless max_degree is below it.
  bool static_bins = false;
};

// 2 T / N, rounded up: the most that best fit needs to place all sequences in one micro-batch
// (bins.h).
int64_t default_tokens_per_rank(int64_t tokens, int32_t ranks);

// Chooses flexible degrees. Throws Unsupported if some sequence exceeds what all ranks can hold.
Solution solve(const Loads& loads, const Limits& limits, const Cost& cost);

// Uses the same degree for all groups: first-fit decreasing into ranks / degree buckets, at the
// least capacity (in quarters from even shares to the limit) that takes all sequences. Throws
// Unsupported if the degree does not divide the ranks or some sequence exceeds what one bucket can
// hold.
Solution solve_static(const Loads& loads, const Limits& limits, int32_t degree, const Cost& cost);

}  // namespace cpbench::flexcp
