// Stage 4: which ranks a bin gets. The largest bins are placed first and take whole nodes first. A
// bin never crosses nodes if one node has room for it.
//
//   place({2, 3}, 2 nodes of 4 GPUs)   // {4, 5}, {0, 1, 2}
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench::flexcp {

// The ranks for each degree, ascending, so that a ring crosses each node boundary once. The degrees
// must add up to at most the ranks of the cluster.
std::vector<std::vector<int32_t>> place(const std::vector<int32_t>& degrees,
                                        const Cluster& cluster);

}  // namespace cpbench::flexcp
