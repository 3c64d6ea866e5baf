// Local search of the distributor: the work of the busiest rank is lowered by dealing the units of
// a few ranks anew.
//
// Again and again the rank with the most work and one to four others, drawn at random, put their
// units together. They are dealt anew, the unit with the most work first, by one of three rules,
// also drawn at random: to the rank of the group that has the most work to spare for each token it
// has room for (ranks with little work left to take get the units that have little); the same, but
// large units to the fullest rank that stays within the target (best fit); or to the rank with the
// smaller larger load. The outcome is kept if all of the group have less work than the busiest had.
// Trading single units gets stuck where this does not: at units of a third or half of a rank's
// share, and where the token limit binds.
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
