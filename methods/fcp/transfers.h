// Which keys travel from the rank that has a unit to the ranks that have queries which see them.
//
// Exact need (the default): each chunk goes once to each rank that sees it, without the tokens that
// are at home there anyway; of a sliding window only the visible end of it. Undeduplicated: the
// whole unit, once for each of the receiver's units that sees any of it.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/range_sets.h"
#include "methods/fcp/units.h"

namespace cpbench::fcp {

struct Transfer {
  int32_t from = 0;
  int32_t to = 0;
  int32_t sequence = 0;     // index into Units::sequences
  int32_t query_unit = -1;  // undeduplicated: the unit it is for; -1: all of the receiver's
  SetId tokens = RangeSets::kEmpty;
};

struct Needs {
  std::vector<Transfer> transfers;  // by sequence, then by chunk
  std::vector<Ranges> from_home;    // per rank: home tokens that its units see
};

// `rank_of` has the rank of each unit; `home` one range per rank, as the user laid out the tokens.
// Token sets are interned in `sets`.
Needs find_needs(const MaskIndex& mask, const Units& units, const std::vector<int32_t>& rank_of,
                 const std::vector<Range>& home, bool deduplicate, RangeSets& sets);

// `a` without `b`: at most two ranges.
Ranges without(Range a, Range b);

}  // namespace cpbench::fcp
