// Lower bounds on the costs of any plan for a problem, which show how far a plan is from ideal.
//
// Compute: some rank attends at least the mean number of pairs. Tokens: some rank owns at least
// ceil(T / N) tokens.
// Bytes, for plans in which no rank owns more than M = ceil(T / N) tokens: consider two tokens of
// one document with different homes. The query of the later one meets the key of the earlier one on
// some rank, so the K,V or the Q of one of them leaves its home. Hence all tokens of a document
// that send nothing have the same home, and at least L - M of its L tokens send K,V (and receive
// dK,dV in the backward pass) or Q (and receive O; in the backward pass dO and dQ), whichever is
// less. For `causal` the document is the pack. With a sliding window, distant tokens never meet, so
// there is no bound on bytes.
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
