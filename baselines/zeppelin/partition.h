// Zeppelin's hierarchical partition: which sequences are cut over nodes, which over the ranks of
// one node, and which stay whole on one rank.
//
//   partition({900, 300, 100, 100}, {.nodes = 2, .ranks_per_node = 2, .per_rank = 400})
//   // 900 on all four ranks, 300 on the two ranks of a node, 100 and 100 on one rank each
#pragma once

#include <cstdint>
#include <vector>

#include "harness/strategy/groups.h"

namespace cpbench::zeppelin {

struct Capacity {
  int32_t nodes = 1;
  int32_t ranks_per_node = 1;
  int64_t per_rank = 0;  // tokens; all ranks together must hold the sequences
};

// A group for each sequence that is cut, those over nodes first, then those within a node, each
// kind longest first; then a group for each rank with whole sequences. Ranks are ascending, and
// those of several nodes are all of these nodes.
std::vector<Group> partition(const std::vector<int64_t>& lengths, const Capacity& capacity);

}  // namespace cpbench::zeppelin
