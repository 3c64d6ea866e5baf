// Zeppelin's remapping: the attention layout, which balances work, and the layout of the linear
// layers, which balances tokens, differ in as few tokens as possible.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench::zeppelin {

struct Move {
  int32_t attends = 0;  // the rank that attends these tokens
  int32_t owns = 0;     // the rank that owns them otherwise
  Ranges tokens;
};

// `attended` has the tokens that each rank attends, a partition of the pack. After the moves every
// rank owns T / N tokens, to within one. Ranks of one node exchange what they can; only the rest
// crosses nodes.
std::vector<Move> remap(const std::vector<Ranges>& attended, const Cluster& cluster);

}  // namespace cpbench::zeppelin
