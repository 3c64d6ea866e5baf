// Moves attention from ranks with too much work to ranks with too little, the moves with the fewest
// bytes per (query, key) pair first.
//
//   Balanced b = balance(head_tail_items(mask, ranks), mask, ranks, 0.1, {512, 512});
//   b.items    // each with the rank that serves it
#pragma once

#include <cstdint>
#include <vector>

#include "baselines/distca/items.h"

namespace cpbench::distca {

struct MoveBytes {
  int64_t per_query = 0;  // of Q to the server and O back
  int64_t per_key = 0;    // of K and V of a token that the server does not have
};

struct Balanced {
  std::vector<Item> items;
  std::vector<int64_t> work;  // attended on each rank, in pairs
  bool within_tolerance = false;
};

// The work of every rank ends within (1 +- tolerance) * mean, or as close as whole queries allow;
// then `within_tolerance` is false.
// First, ranks with too little work, those with the least first and a few at a time, are filled
// from any rank above the mean. Then ranks that are still above the tolerance give to the rank
// below the mean that takes the fewest bytes for it: keys that it has or receives need not travel.
// At last, what is served away from home goes where it takes the fewest bytes, if both ranks stay
// within the tolerance.
Balanced balance(std::vector<Item> items, const MaskIndex& mask, int32_t ranks, double tolerance,
                 MoveBytes bytes);

}  // namespace cpbench::distca
