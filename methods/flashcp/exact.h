// The placement that sends least, by integer programming: the oracle of the heuristic on small
// cases, and `solver=exact`.
//
//   Shards best = place_exactly({10, 3, 3}, 4, Visibility(batch), {.ratio = 1.05,
//                                                                  .granularity_tokens = 1});
//
// Documents are cut into units of `granularity_tokens` (the last of each may be shorter), and each
// unit goes to one rank. Minimised is the paper's B, the most tokens of one rank that others see,
// subject to: the imbalance is at most the ratio; and every rank has T/N tokens, give or take less
// than one unit (with units of one token: floor(T/N) or ceil(T/N)).
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

struct ExactOptions {
  double ratio = 1.05;
  int64_t granularity_tokens = 512;
  // Of the search tree. A count and not a time, so that the outcome is the same on every machine.
  int64_t max_nodes = 20000;
};

// Returns normal form, proven optimal. Throws Unsupported, with the numbers: without CBC, with a
// sliding window, when the case is too large, when no placement keeps within the ratio, and when
// the proof is not finished within max_nodes.
Shards place_exactly(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
                     const ExactOptions& options);

}  // namespace cpbench::flashcp
