// Which holder of a sequence gets which of its units, to lower the maximum degree D.
//
// Zigzag units of one sequence cost the same, so the holders of one sequence may trade them. They
// differ in traffic: unit 0 has the last chunk, which sees all others and which nobody else sees;
// the last unit has the middle chunks, which many see. So a holder of low units receives more and
// sends less. Sequence by sequence, the longest first, the holder that so far sends the most beyond
// what it receives gets the lowest units, each holder a run of neighbours (which also lowers the
// sum: of a run the lowest unit alone decides which middle chunks must come).
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

// Changes `rank_of` among the units of one sequence; how many units each rank has of it stays.
// Leaves alone a sequence whose units differ by more than 1% in pairs (tiny or contiguous units,
// sliding windows). Token counts of a rank may change by the rounding of chunks, two tokens a unit.
void permute_units(const Units& units, int32_t ranks, std::vector<int32_t>& rank_of);

}  // namespace cpbench::fcp
