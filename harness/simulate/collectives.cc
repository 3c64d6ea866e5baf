#include "harness/simulate/collectives.h"

#include <algorithm>
#include <map>

namespace cpbench {
namespace {

const CollectiveFit& nearest(const std::vector<CollectiveFit>& fits, int32_t ranks) {
  const auto after = std::find_if(fits.begin(), fits.end(),
                                  [&](const CollectiveFit& fit) { return fit.ranks >= ranks; });
  if (after == fits.end()) return fits.back();
  if (after == fits.begin() || after->ranks == ranks) return *after;
  return ranks - std::prev(after)->ranks <= after->ranks - ranks ? *std::prev(after) : *after;
}

struct Spread {
  int32_t nodes = 0;
  int32_t fewest = 0;  // members on one node
  int32_t most = 0;
};
Spread spread_of(const Cluster& cluster, const std::vector<int32_t>& members) {
  std::map<int32_t, int32_t> on_node;
  for (int32_t rank : members) ++on_node[cluster.node_of(rank)];
  Spread spread{static_cast<int32_t>(on_node.size()), on_node.begin()->second, 0};
  for (const auto& [node, count] : on_node) {
    spread.fewest = std::min(spread.fewest, count);
    spread.most = std::max(spread.most, count);
  }
  return spread;
}

// The bandwidth to other nodes that `members` ranks of one node have together.
double uplink(const ClusterModel& machine, int32_t members) {
  const double links = members * machine.inter_node.bytes_per_second;
  const double node = machine.node_uplink_bytes_per_second;
  return node > 0 ? std::min(node, links) : links;
}

double ring_seconds(const ClusterModel& machine, const std::vector<CollectiveFit>& fits,
                    const CollectiveCall& call) {
  const auto ranks = static_cast<int32_t>(call.members.size());
  const Spread spread = spread_of(machine.cluster, call.members);
  const CollectiveFit& fit = nearest(fits, std::max(2, spread.most));
  double bandwidth = fit.bytes_per_second;
  double latency = fit.latency_seconds;
  if (spread.nodes > 1) {
    const double across = uplink(machine, spread.fewest);
    bandwidth = spread.most > 1 ? std::min(bandwidth, across) : across;
    latency += (spread.nodes - 1) * machine.inter_node.latency_seconds;
  }
  return latency +
         static_cast<double>(ranks - 1) * static_cast<double>(call.block_bytes) / bandwidth;
}

double all_to_all_seconds(const ClusterModel& machine, const CollectiveCall& call) {
  const auto ranks = static_cast<int32_t>(call.members.size());
  const Spread spread = spread_of(machine.cluster, call.members);
  const auto block = static_cast<double>(call.block_bytes);
  double seconds = (spread.most - 1) * block / machine.intra_node.bytes_per_second;
  double latency = machine.intra_node.latency_seconds;
  if (spread.nodes > 1) {
    const double per_rank =
        uplink(machine, spread.most) / spread.most * machine.inter_node_all_to_all_efficiency;
    seconds = std::max(seconds, (ranks - spread.fewest) * block / per_rank);
    latency = machine.inter_node.latency_seconds;
  }
  return latency + seconds;
}

}  // namespace

bool has_fit(const ClusterModel& machine, CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::all_gather:
      return !machine.all_gather.empty();
    case CollectiveKind::reduce_scatter:
      return !machine.reduce_scatter.empty();
    case CollectiveKind::all_to_all:
      return true;
  }
  return false;
}

double collective_seconds(const ClusterModel& machine, const CollectiveCall& call) {
  if (call.members.size() < 2) return 0;
  switch (call.kind) {
    case CollectiveKind::all_gather:
      return ring_seconds(machine, machine.all_gather, call);
    case CollectiveKind::reduce_scatter:
      return ring_seconds(machine, machine.reduce_scatter, call);
    case CollectiveKind::all_to_all:
      return all_to_all_seconds(machine, call);
  }
  return 0;
}

}  // namespace cpbench
