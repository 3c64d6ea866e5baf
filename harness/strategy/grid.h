// Plans over a grid of N = head degree * context degree ranks. The ranks of one head group hold one
// shard of the tokens together and split the heads by all-to-all (Ulysses). Across the head groups,
// K and V travel round a ring of rings.
//
//   8 ranks, head degree 2, inner ring 2, head first: the head groups are {0,1} {2,3} {4,5} {6,7};
//   for the first half of the heads the context ring is 0 2 4 6, with inner rings {0,2} and {4,6}.
//
// Forward: q and kv go from token shards to head shards; each rank attends once per context rank,
// and KV hops on between these attends; o returns. Backward: do comes as q did, the ring runs again
// with dkv behind the KV, and dq and dkv return.
//
// By option the queries go round in the backward pass instead: Q and dO travel, dQ follows them,
// and dK and dV stay where they are made.
//
// A ring of rings of n = inner * outer shards visits all shards of an inner ring; then the shard
// that each rank of the ring began with goes to the next inner ring. A gradient returns to where
// its tokens entered the inner ring, and goes on from there with the sum over the inner rings
// before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

enum class GridPlacement : uint8_t {
  head_first,     // consecutive ranks form a head group
  context_first,  // consecutive ranks form a context ring
};

// What goes round the ring in the backward pass.
enum class GridBackward : uint8_t { kv, queries };

struct Grid {
  int32_t head_degree = 1;  // must divide the ranks; at most the query heads
  int32_t inner_ring = 1;   // context ranks of an inner ring; must divide the context degree
  GridPlacement placement = GridPlacement::head_first;
  GridBackward backward = GridBackward::kv;
};

// `shards` has one token set per context rank (ranks / head_degree of them). Each is split evenly,
// in token order, over its head group. Groups with an empty shard take no part; the inner rings
// then shrink to the greatest common divisor of their size and the number of groups that are left.
Plan grid_plan(const Problem& problem, const std::vector<Ranges>& shards, const Grid& grid);

// A set in `parts` consecutive, nearly equal parts; the first ones are one token larger.
std::vector<Ranges> split_evenly(RangeSpan set, int32_t parts);

// The largest common divisor that is at most `limit`, and at least 1.
int32_t largest_common_divisor(int32_t a, int32_t b, int32_t limit);

// Throws Unsupported, with the numbers and the degrees that are supported, unless `degree` divides
// the ranks and is at most the query heads. `option` is the strategy's name for it.
void require_head_degree(const Problem& problem, int64_t degree, const std::string& option);

}  // namespace cpbench
