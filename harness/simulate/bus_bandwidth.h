// What nccl-tests would print on a simulated cluster, to be compared with nccl-tests on the real
// one.
//
//   const ClusterModel cluster = cluster_with_ranks(find_cluster("h100"), 64);
//   bus_bandwidth(cluster, BusTest::all_gather, 1 << 30)      // 301e9 bytes/s
//   bus_bandwidth_limit(cluster, BusTest::all_gather)         // 450e9: NVLink, one direction
#pragma once

#include <cstdint>

#include "harness/machines/cluster_model.h"

namespace cpbench {

enum class BusTest : uint8_t {
  send_receive,  // every rank sends to the next one
  all_gather,
  reduce_scatter,
  all_to_all,
};

// Of all ranks of the cluster, of which there are two or more: bytes / time, and for collectives of
// n ranks times (n-1)/n. `bytes` are as nccl-tests counts them: those of the gathered or scattered
// buffer, that one rank sends to all in an all-to-all, or in one message.
double bus_bandwidth(const ClusterModel& machine, BusTest test, int64_t bytes);

// The most that the nominal links of the cluster allow, whatever the algorithm, if the data of one
// rank reaches each other rank from the network's ports (no reduction or copy inside switches).
double bus_bandwidth_limit(const ClusterModel& machine, BusTest test);

}  // namespace cpbench
