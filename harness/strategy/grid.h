// Head x context grid: N = head degree * context degree ranks. The ranks of one head group hold one
// shard of the tokens together and split the heads by all-to-all (Ulysses); across the groups K and
// V go round a ring of rings.
//
//   8 ranks, head degree 2, inner ring 2, head first: head groups {0,1} {2,3} {4,5} {6,7};
//   for the first half of the heads the context ring 0 2 4 6, in inner rings {0,2} {4,6}.
//
// Forward: q and kv from token to head shards; c attends, KV hopping on between them; o back.
// Backward: do as q before it; the ring again with dkv behind the KV; dq and dkv back. A ring of
// rings of n = inner * outer shards visits all shards of an inner ring, then the shard that each
// rank of the ring began with goes to the next inner ring. dkv returns to where its KV entered the
// inner ring, and goes on from there with the sum of the inner rings before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

enum class GridPlacement : uint8_t {
  head_first,     // consecutive ranks are a head group
  context_first,  // consecutive ranks are a context ring
};

struct Grid {
  int32_t head_degree = 1;  // divides ranks and query heads
  int32_t inner_ring = 1;   // context ranks of an inner ring; divides the context degree
  GridPlacement placement = GridPlacement::head_first;
};

// `shards`: one per context rank (ranks / head_degree); each is split evenly, in token order, over
// its head group. Groups whose shard is empty take no part, and the inner rings shrink to the
// greatest common divisor of their size and what is left.
Plan grid_plan(const Problem& problem, const std::vector<Ranges>& shards, const Grid& grid);

// `parts` consecutive, nearly equal parts of a set (the first ones one token larger).
std::vector<Ranges> split_evenly(RangeSpan set, int32_t parts);

// The largest divisor of both numbers that is at most `limit`; at least 1.
int32_t largest_common_divisor(int32_t a, int32_t b, int32_t limit);

// Throws Unsupported, naming the numbers and the degrees that would do, unless `degree` divides
// ranks and query heads. `option` is what the strategy calls it.
void require_head_degree(const Problem& problem, int64_t degree, const std::string& option);

}  // namespace cpbench
