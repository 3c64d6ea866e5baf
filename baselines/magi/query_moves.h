// Queries that travel to the owners of their keys and back as outputs, where that takes fewer bytes
// than these keys.
//
//   documents of 8 and 9 on ranks [0, 7) and [7, 17): query 7 moves, not 7 keys
//
// For each pair of ranks and each document (or tree of documents, or pack under one causal mask) it
// is decided how many of the one rank's last pieces of queries move to the other: causal queries
// see what those before them see, so the keys that the others need are the first ones.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"

namespace cpbench::magi {

struct QueryMove {
  int32_t from = 0;  // the rank that owns the queries
  int32_t to = 0;    // the rank that attends them to all of its own keys
  Ranges queries;    // not empty
};

struct MoveBytes {
  int64_t per_query = 0;  // of one token, in both passes: Q, O, dO, dQ
  int64_t per_key = 0;    // K, V, dK, dV
};

// In the order of (from, to), each pair once. `homes` is a partition of the pack. What saves most
// bytes is decided first. No rank that work moves to ends with more than 1.1 times the mean, or
// with more than the most loaded rank has without moves.
std::vector<QueryMove> query_moves(const MaskIndex& mask, const std::vector<Ranges>& homes,
                                   MoveBytes bytes);

// The keys of others that each rank needs for the queries that it attends at home.
std::vector<Ranges> needed_keys(const MaskIndex& mask, const std::vector<Ranges>& homes,
                                const std::vector<QueryMove>& moves);

}  // namespace cpbench::magi
