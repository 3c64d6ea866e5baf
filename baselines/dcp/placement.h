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

struct BlockBytes {  // per token and group of heads
  int64_t qo = 0;    // of Q to the server and O back
  int64_t kv = 0;
};

// Data blocks are the first vertices.
Hypergraph hypergraph_of(const Blocks& blocks, BlockBytes bytes);

struct Slack {  // limits of max / mean
  double tokens = 1;
  double pairs = 1;
};

// Ranks stay within these limits, or as close as whole blocks allow. Nothing moves if whole
// documents can be placed within these limits. Throws Unsupported if `partitioner` fails and no
// other start is within the limits.
Placement place(const Blocks& blocks, const Cluster& cluster, BlockBytes bytes, Slack slack,
                const Partitioner& partitioner = metis_start);

}  // namespace cpbench::dcp
