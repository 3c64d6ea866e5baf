// MagiAttention's dispatch solver: assigns the chunks of the pack to ranks, in equal numbers and
// with balanced attention area.
//
//   dispatch({8, 7, 6, 5, 4, 2, 2, 2}, 2)   rank 0: areas 8, 5, 4, 2; rank 1: areas 7, 6, 2, 2
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench::magi {

// The rank of each chunk. Chunks are taken by descending area (of equal areas the higher index
// first). Each goes to the least loaded rank (of equal loads the lower rank) that has fewer than
// ceil(chunks / ranks) chunks.
std::vector<int32_t> dispatch(const std::vector<int64_t>& areas, int32_t ranks);

}  // namespace cpbench::magi
