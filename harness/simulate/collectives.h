// The time of a library's collective, in closed form, from latency and bandwidth.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// Whether it is one call of the library with a closed form. An all-to-all is its messages, which
// share ports with everything else in flight.
bool is_library_call(CollectiveKind kind);

// The time of an all-gather or a reduce-scatter from the moment when the last member is ready:
// latency + (n-1) blocks / bandwidth, as a ring over all members. If it crosses nodes, the
// bandwidth is at most that of the links of one node's members together. Without measured rows, the
// bandwidth within a node is that of its links, which the library keeps busy in both directions.
double collective_seconds(const ClusterModel& machine, const CollectiveCall& call);

// The same as messages, which share ports with all others in flight: every member sends to the next
// one on its node, or to all of them in a mesh, and to one on the next node. If nothing else is in
// flight, the last of them arrives after `collective_seconds`.
struct CollectiveMessage {
  int32_t from = 0;
  int32_t to = 0;
  int64_t bytes = 0;
};
std::vector<CollectiveMessage> messages_of(const ClusterModel& machine, const CollectiveCall& call);

}  // namespace cpbench
