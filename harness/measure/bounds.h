// Lower bounds on the costs of any plan for a problem, which show how far a plan is from ideal.
//
// Compute: some rank attends at least the mean number of pairs. Tokens: some rank owns at least
// ceil(T / N) tokens.
// Bytes, for plans in which no rank owns more than M = ceil(T / N) tokens: consider two tokens with
// different homes of which one sees the other. Query and key meet on some rank, so the K,V or the Q
// of one of them leaves its home: it travels. Hence tokens that stay and meet have the same home,
// and a token that travels sends K,V (and receives dK,dV in the backward pass) or Q (and receives
// O; in the backward pass dO and dQ), whichever is less. How many travel:
//   all tokens meet       at least L - M of the L tokens of a document (for `causal`, of the pack)
//   sliding window w      tokens less than w apart meet, so those that stay lie in runs of at most
//                         M, with w - 1 that travel between two runs: with g such gaps, the least
//                         of max(g (w - 1), L - (g + 1) M) over all g
//   chunked               as if each chunk were a document
//   cached tokens         do not meet each other; if no new token stays, all new tokens travel
//   parents               a document and its ancestors together are as one document of which the
//                         ancestors' tokens are cached. Of a tree it is the larger of the sum over
//                         its documents, each in itself, and the most of one with its ancestors
#pragma once

#include <cstdint>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct Bounds {
  double pairs_per_rank = 0;  // (query, key, query head) pairs
  int64_t tokens_per_rank = 0;
  int64_t wire_bytes = 0;  // over all ranks
};

// `wire` is the dtype in which gradients travel.
Bounds lower_bounds(const Problem& problem, Passes passes, GradientWire wire);

}  // namespace cpbench
