// Stage 4: which ranks a bin gets. Largest first, whole nodes first, and never across nodes where
// some node has room.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench::flexcp {

// The ranks for each degree, ascending, so that a ring crosses each node boundary once. The degrees
// add up to at most the cluster's ranks.
std::vector<std::vector<int32_t>> place(const std::vector<int32_t>& degrees,
                                        const Cluster& cluster);

}  // namespace cpbench::flexcp
