// The local search of the distributor. It lowers the work of the busiest rank by redistributing the
// units of a few ranks.
//
// Again and again, the rank with the most work and one to four other ranks, drawn at random, pool
// their units. The units are redistributed, the one with the most work first, by one of three
// rules, also drawn at random:
// - to the rank of the group that has the most work to spare per token of room, so that ranks with
//   little work left to take get units with little work;
// - the same, but large units go to the fullest rank that stays within the target (best fit);
// - to the rank whose larger load is the smallest.
// The outcome is kept if every rank of the group has less work than the busiest had. Exchanging
// single units gets stuck where this search does not: at units of a third or half of a rank's
// share, and where the token limit matters.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

struct Placement {
  std::vector<int32_t> rank_of;  // of each unit
  std::vector<int64_t> tokens;   // of each rank
  std::vector<int64_t> pairs;    // of each rank

  int64_t most_pairs() const;
};

// Ends when no rank has more than `enough` pairs, or after a fixed number of tries. No rank gets
// more than `token_limit` tokens. The same input gives the same output.
void repack(const std::vector<Unit>& units, int64_t token_limit, int64_t enough,
            Placement& placement);

}  // namespace cpbench::fcp
