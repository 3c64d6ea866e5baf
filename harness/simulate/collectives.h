// How long a library's collective takes, in closed form (NCCL's latency and bandwidth fits).
#pragma once

#include "harness/machines/cluster_model.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// False: the machine has no fit for it, so its messages are costed one by one.
bool has_fit(const ClusterModel& machine, CollectiveKind kind);

// From the moment the last member is ready.
//   all_gather, reduce_scatter: latency + (n-1) blocks / bandwidth, a ring over all members. Across
//     nodes the bandwidth is at most what the members of a node have together to other nodes.
//   all_to_all: latency + the slower of the blocks for the own node and those for other nodes.
double collective_seconds(const ClusterModel& machine, const CollectiveCall& call);

}  // namespace cpbench
