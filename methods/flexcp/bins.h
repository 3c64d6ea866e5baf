// Stage 1: which sequences of a micro-batch are grouped together.
//
//   best_fit(loads, {0, 1, 2}, 8): lengths 12, 7, 4 with 8 tokens a rank give
//   {12, 4} on at least 2 ranks and {7} on at least 1.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/strategy/group_cost.h"

namespace cpbench::flexcp {

struct Bin {
  std::vector<int32_t> sequences;  // indices into the loads, longest first
  GroupCost::Load load;            // the sum of their loads
  int32_t least_ranks = 0;         // the fewest ranks that can hold its tokens
  int32_t degree = 0;              // the ranks that it gets; 0 until that is chosen

  void add(int32_t sequence, const GroupCost::Load& its_load) {
    sequences.push_back(sequence);
    load += its_load;
  }
};

// All functions take the load of every sequence of the batch, and `items`: the indices of those to
// place, longest first. Ties go to the lower index, so the result is the same everywhere.
using Items = std::vector<int32_t>;

// Best-fit decreasing. A bin has as many ranks as its longest sequence needs at `tokens_per_rank`,
// but at most `max_degree`, where a longer sequence is alone. A sequence joins the bin in which it
// leaves the least room, or else opens a new one.
//
// Bound: with tokens_per_rank >= 2 T / N the bins need at most N ranks together. A bin of d >= 2
// ranks holds more than (d - 1) / d >= 1/2 of its room. Of several bins of one rank, any two hold
// more than the room of one. So ranks * tokens_per_rank / 2 < T, except for a single bin of one
// rank.
std::vector<Bin> best_fit(const Loads& loads, const Items& items, int64_t tokens_per_rank,
                          int32_t max_degree);

// First-fit decreasing into `buckets` buckets of `capacity` tokens: the static baseline. Nothing if
// some sequence fits into no bucket. Buckets may stay empty.
std::optional<std::vector<Bin>> first_fit(const Loads& loads, const Items& items, int32_t buckets,
                                          int64_t capacity);

// Deals the items to `parts` micro-batches, each to the one with the fewest tokens.
std::vector<Items> deal(const Loads& loads, const Items& items, int32_t parts);

}  // namespace cpbench::flexcp
