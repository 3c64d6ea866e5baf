// Where blocks go: they are placed on the nodes first, then inside each node on its ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "baselines/dcp/blocks.h"
#include "baselines/dcp/hypergraph.h"
#include "harness/plan/problem.h"

namespace cpbench::dcp {

struct Placement {
  std::vector<int32_t> home;    // rank of each data block
  std::vector<int32_t> server;  // rank of each compute block
};

struct BlockBytes {  // per token
  int64_t qo = 0;    // of Q to the server and O back
  int64_t kv = 0;
};

// Data blocks are the first vertices. The edges are Q and O of each data block, then K and V of
// each.
Hypergraph hypergraph_of(const Blocks& blocks, BlockBytes bytes);

// Ranks stay within `imbalance` times the mean of tokens and the mean of pairs, or as close as
// whole blocks allow. Nothing moves if whole documents can be placed within these limits. Throws
// Unsupported if `partitioner` fails and no other start is within the limits.
Placement place(const Blocks& blocks, const Cluster& cluster, BlockBytes bytes, double imbalance,
                const Partitioner& partitioner = metis_start);

}  // namespace cpbench::dcp
