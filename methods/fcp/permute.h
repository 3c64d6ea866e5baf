// Decides which holder of a sequence gets which of its units, to lower the largest degree D.
//
// Zigzag units of one sequence cost the same, so the holders of a sequence may exchange them. The
// units differ in traffic: unit 0 has the last chunk, which sees all others and which no other unit
// sees; the last unit has the middle chunks, which many see. So a holder of low units receives more
// and sends less. Sequences are taken one after another, the longest first. The holder that so far
// sends the most beyond what it receives gets the lowest units. Each holder gets a run of
// neighbouring units, which also lowers the total, because only the lowest unit of a run decides
// which middle chunks must come.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

// Changes `rank_of` only among the units of one sequence; each rank keeps its number of units.
// Sequences whose units differ by more than 1% in pairs (tiny or contiguous units, sliding windows)
// do not change. The token count of a rank may change by the rounding of chunks, two tokens per
// unit.
void permute_units(const Units& units, int32_t ranks, std::vector<int32_t>& rank_of);

}  // namespace cpbench::fcp
