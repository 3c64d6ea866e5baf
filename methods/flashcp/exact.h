// The best placement, by integer programming. It is the oracle of the heuristic on small cases, and
// the option `solver=exact`.
//
//   Shards best = place_exactly({10, 3, 3}, 4, Visibility(batch), {.granularity_tokens = 1});
//
// A document is a head, which may be empty, and a tail. The tail is on one rank and is never sent.
// It begins at a multiple of `granularity_tokens`, counted from the start of the document. The head
// is dealt to all ranks in any shares, and each rank sends its part, so tokens are exactly equal:
// every rank has floor(T/N) or ceil(T/N). Every placement has this form, with units of one token.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/strategy/integer_program.h"
#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

// What the program minimises.
enum class Objective : uint8_t {
  time,   // the paper's: the largest work plus the communication, both as times
  bytes,  // the paper's B, the most tokens of one rank that others see, within the ratio
};

struct ExactOptions {
  Objective objective = Objective::time;
  double ratio = 1.05;               // for Objective::bytes: imbalance of at most this; >= 1
  int64_t granularity_tokens = 512;  // >= 1
  // For Objective::time: the time of all attention if it is even, and that of the communication if
  // every rank sends all its tokens. Only their quotient counts.
  double even_work_seconds = 1;
  double all_sent_seconds = 1;
  // The search usually ends by its nodes, so that the outcome is the same on every machine.
  SearchLimits limits{};
};

// Returns normal form, proven to be optimal to within limits.gap: of the sum of the two times, or
// of T/N. On one rank nothing is searched. Otherwise throws Unsupported, with the numbers, without
// CBC, with a sliding window, if the case is too large, if no placement stays within the ratio, or
// if the proof is not finished within the limits.
Shards place_exactly(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
                     const ExactOptions& options);

}  // namespace cpbench::flashcp
