// Whether this machine has room for a simulation, asked before it begins.
#pragma once

#include <cstdint>
#include <string>

#include "harness/simulate/expected_cost.h"

namespace cpbench {

// "simulating it needs about 210 GB of memory and takes about 95 min, and 16 GB are free"; "" if
// there is room, or if `free_bytes` is 0.
std::string no_room(const ExpectedCost& cost, int64_t free_bytes);

int64_t free_memory_bytes();  // without what caches hold; 0: unknown

}  // namespace cpbench
