// The time of a library's collective, in closed form, from fits of NCCL's latency and bandwidth.
#pragma once

#include "harness/machines/cluster_model.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// Whether the cluster has a fit for this collective; otherwise its messages are simulated one by
// one.
bool has_fit(const ClusterModel& machine, CollectiveKind kind);

// The time from the moment when the last member is ready.
//   all_gather, reduce_scatter: latency + (n-1) blocks / bandwidth, as a ring over all members. If
//     it crosses nodes, the bandwidth is at most that of the links of one node's members together.
//   all_to_all: latency + the larger time of the blocks within the node and those to other nodes.
double collective_seconds(const ClusterModel& machine, const CollectiveCall& call);

}  // namespace cpbench
