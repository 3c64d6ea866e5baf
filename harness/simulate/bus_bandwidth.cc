#include "harness/simulate/bus_bandwidth.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "harness/simulate/collectives.h"
#include "harness/simulate/ports.h"

namespace cpbench {
namespace {

std::vector<CollectiveMessage> messages_of(const ClusterModel& machine, BusTest test,
                                           int64_t bytes) {
  const int32_t ranks = machine.cluster.ranks();
  std::vector<CollectiveMessage> messages;
  if (test == BusTest::all_gather || test == BusTest::reduce_scatter) {
    CollectiveCall call{
        test == BusTest::all_gather ? CollectiveKind::all_gather : CollectiveKind::reduce_scatter,
        std::vector<int32_t>(ranks), bytes / ranks};
    std::iota(call.members.begin(), call.members.end(), 0);
    return messages_of(machine, call);
  }
  const bool to_all = test == BusTest::all_to_all;
  for (int32_t from = 0; from < ranks; ++from) {
    for (int32_t hop = 1; hop <= (to_all ? ranks - 1 : 1); ++hop) {
      messages.push_back({from, (from + hop) % ranks, to_all ? bytes / ranks : bytes});
    }
  }
  return messages;
}

double collective_factor(BusTest test, int32_t ranks) {
  return test == BusTest::send_receive ? 1 : (ranks - 1.0) / ranks;
}

}  // namespace

double bus_bandwidth(const ClusterModel& machine, BusTest test, int64_t bytes) {
  Ports ports(machine);
  int32_t id = 0;
  for (const CollectiveMessage& m : messages_of(machine, test, bytes)) {
    ports.start(id++, m.from, m.to, m.bytes, 0);
  }
  double seconds = 0;
  while (ports.next_seconds() < std::numeric_limits<double>::infinity()) {
    seconds = ports.next_seconds();
    ports.advance(seconds);
  }
  return static_cast<double>(bytes) / seconds * collective_factor(test, machine.cluster.ranks());
}

double bus_bandwidth_limit(const ClusterModel& machine, BusTest test) {
  const Cluster& cluster = machine.cluster;
  const double ranks = cluster.ranks(), per_node = cluster.gpus_per_node;
  const double nic = cluster.inter_node_bytes_per_second;
  double uplink = per_node * nic;
  if (machine.node_uplink_bytes_per_second > 0) {
    uplink = std::min(uplink, machine.node_uplink_bytes_per_second);
  }
  // A rank receives over the links of its node; in a mesh each of them comes from one other rank.
  const double sources = test == BusTest::send_receive ? 1 : per_node - 1;
  double near = cluster.intra_node_bytes_per_second;
  if (machine.pair_bytes_per_second > 0) {
    near = std::min(near, sources * machine.pair_bytes_per_second);
  }
  if (cluster.nodes == 1) return near;
  if (test == BusTest::send_receive) {
    const double far = std::min(nic, uplink);
    return per_node > 1 ? std::min(near, far) : far;
  }
  // Of the n - 1 shares that a rank receives, n - per_node come from other nodes. A node's uplink
  // brings those of all its ranks in an all-to-all, and once for all in an all-gather.
  const double far_share = (ranks - per_node) / (ranks - 1);
  if (test == BusTest::all_to_all) {
    const double far = uplink / per_node / far_share;
    return per_node > 1 ? std::min(far, near / (1 - far_share)) : far;
  }
  const double to_node = uplink / far_share;
  return per_node > 1 ? std::min(to_node, near + nic) : to_node;
}

}  // namespace cpbench
