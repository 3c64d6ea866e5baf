// Stage 1: which sequences of a micro-batch go together.
//
//   best_fit(sequences, {0, 1, 2}, 8): lengths 12, 7, 4 with 8 tokens a rank give
//   {12, 4} on at least 2 ranks and {7} on at least 1.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/strategy/group_cost.h"

namespace cpbench::flexcp {

struct Bin {
  std::vector<int32_t> sequences;  // indices into the loads, longest first
  GroupCost::Load load;            // their sum
  int32_t least_ranks = 0;         // that hold its tokens
  int32_t degree = 0;              // ranks it gets, once that is chosen

  void add(int32_t sequence, const GroupCost::Load& its_load) {
    sequences.push_back(sequence);
    load += its_load;
  }
};

// All functions take the load of every sequence of the batch, and `items`: the indices of those to
// place, longest first. Ties fall to the lower index, so the answer is the same everywhere.
using Items = std::vector<int32_t>;

// Best-fit decreasing. A bin has as many ranks as its longest sequence needs at `tokens_per_rank`;
// a sequence joins the bin where it leaves the least room, else opens one.
//
// Bound: with tokens_per_rank >= 2 T / N the bins need at most N ranks together. A bin of d >= 2
// ranks holds more than (d - 1) / d >= 1/2 of its room; of several bins of one rank any two hold
// more than one's room. So ranks * tokens_per_rank / 2 < T, but for one lone bin of one rank.
std::vector<Bin> best_fit(const Loads& loads, const Items& items, int64_t tokens_per_rank);

// First-fit decreasing into `buckets` buckets of `capacity` tokens: the static baseline. Nothing if
// some sequence fits nowhere. Buckets may stay empty.
std::optional<std::vector<Bin>> first_fit(const Loads& loads, const Items& items, int32_t buckets,
                                          int64_t capacity);

// Into `parts` micro-batches, each item to the one with the fewest tokens.
std::vector<Items> deal(const Loads& loads, const Items& items, int32_t parts);

}  // namespace cpbench::flexcp
