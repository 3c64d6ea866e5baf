// The placement that sends least, by integer programming. It is the oracle of the heuristic on
// small cases, and the option `solver=exact`.
//
//   Shards best = place_exactly({10, 3, 3}, 4, Visibility(batch), {.ratio = 1.05,
//                                                                  .granularity_tokens = 1});
//
// Documents are cut into units of `granularity_tokens` (the last unit of a document may be
// shorter), and each unit goes to one rank. The program minimises the paper's B, the most tokens of
// one rank that others see. The imbalance may be at most the ratio, and every rank must have T/N
// tokens, give or take less than one unit (with units of one token: floor(T/N) or ceil(T/N)).
#pragma once

#include <cstdint>
#include <vector>

#include "harness/strategy/integer_program.h"
#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

struct ExactOptions {
  double ratio = 1.05;               // >= 1
  int64_t granularity_tokens = 512;  // >= 1
  // The search usually ends by its nodes, so that the outcome is the same on every machine.
  SearchLimits limits{};
};

// Returns normal form, proven to be optimal. On one rank nothing is searched. Otherwise throws
// Unsupported, with the numbers, without CBC, with a sliding window, if the case is too large, if
// no placement stays within the ratio, or if the proof is not finished within the limits.
Shards place_exactly(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
                     const ExactOptions& options);

}  // namespace cpbench::flashcp
