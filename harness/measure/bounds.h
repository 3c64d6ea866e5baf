// What any plan must pay on a problem, so that a user sees how far from ideal a plan is.
//
// Compute: some rank attends at least the mean of the pairs. Tokens: some rank owns at least
// ceil(T / N). Bytes, for plans in which no rank owns more than ceil(T / N) =: M tokens: of two
// tokens of one document with different homes, the later one's query meets the earlier one's key on
// one rank, so the K,V or the Q of one of them leaves its home. Hence the tokens of a document that
// send nothing share one home, and at least L - M of its L tokens send K,V (and backward receive
// dK,dV) or Q (and receive O; backward dO and dQ), whichever is less. For `causal` the document is
// the pack. With a sliding window distant tokens never meet; no bound is claimed there.
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

// `wire`: in which dtype gradients travel.
Bounds lower_bounds(const Problem& problem, Passes passes, GradientWire wire);

}  // namespace cpbench
