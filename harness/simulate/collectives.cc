#include "harness/simulate/collectives.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace cpbench {
namespace {

// A message takes a base latency and that of one hop, and a step of a ring one hop more. The share
// of a hop is that of NVLink in NCCL's tuning model: 3.4 of 8.4 + 3.4 us (protocol Simple).
constexpr double kHopShare = 3.4 / 11.8;

CollectiveFit nearest(const ClusterModel& machine, const std::vector<CollectiveFit>& fits,
                      int32_t ranks) {
  if (fits.empty()) {
    return {ranks, machine.intra_node.latency_seconds * (1 + kHopShare * (ranks - 2)),
            machine.intra_node.bytes_per_second};
  }
  const auto after = std::find_if(fits.begin(), fits.end(),
                                  [&](const CollectiveFit& fit) { return fit.ranks >= ranks; });
  if (after == fits.end()) return fits.back();
  if (after == fits.begin() || after->ranks == ranks) return *after;
  return ranks - std::prev(after)->ranks <= after->ranks - ranks ? *std::prev(after) : *after;
}

// The members of each node that has some, by node.
std::vector<std::vector<int32_t>> by_node(const Cluster& cluster,
                                          const std::vector<int32_t>& members) {
  std::map<int32_t, std::vector<int32_t>> nodes;
  for (int32_t rank : members) nodes[cluster.node_of(rank)].push_back(rank);
  std::vector<std::vector<int32_t>> all;
  for (auto& [node, ranks] : nodes) all.push_back(std::move(ranks));
  return all;
}

int32_t fewest(const std::vector<std::vector<int32_t>>& nodes) {
  return static_cast<int32_t>(
      std::ranges::min_element(nodes, {}, &std::vector<int32_t>::size)->size());
}

// The bandwidth to other nodes that `members` ranks of one node have together.
double uplink(const ClusterModel& machine, int32_t members) {
  const double links = members * machine.inter_node.bytes_per_second;
  const double node = machine.node_uplink_bytes_per_second;
  return node > 0 ? std::min(node, links) : links;
}

// What one of `members` ranks of a node sends to the others. In a mesh it sends to all of them at
// once.
double bandwidth_in_node(const ClusterModel& machine, int32_t members) {
  const double link = machine.intra_node.bytes_per_second;
  const double pair = machine.pair_bytes_per_second;
  return pair > 0 ? std::min(link, (members - 1) * pair) : link;
}

double ring_seconds(const ClusterModel& machine, const std::vector<CollectiveFit>& fits,
                    const CollectiveCall& call) {
  const std::vector<std::vector<int32_t>> nodes = by_node(machine.cluster, call.members);
  const auto most = static_cast<int32_t>(
      std::ranges::max_element(nodes, {}, &std::vector<int32_t>::size)->size());
  const CollectiveFit fit = nearest(machine, fits, std::max(2, most));
  double bandwidth = fit.bytes_per_second;
  for (const std::vector<int32_t>& own : nodes) {
    const auto members = static_cast<int32_t>(own.size());
    if (machine.pair_bytes_per_second > 0 && members > 1) {
      bandwidth = std::min(bandwidth, bandwidth_in_node(machine, members));
    }
  }
  double latency = fit.latency_seconds;
  if (nodes.size() > 1) {
    const double across = uplink(machine, fewest(nodes));
    bandwidth = most > 1 ? std::min(bandwidth, across) : across;
    latency += static_cast<double>(nodes.size() - 1) * machine.inter_node.latency_seconds;
  }
  return latency + static_cast<double>(call.members.size() - 1) *
                       static_cast<double>(call.block_bytes) / bandwidth;
}

// What a link carries in that time, after its latency; nothing over an infinitely fast one.
int64_t bytes_in(double seconds, double latency_seconds, double bytes_per_second) {
  const double bytes = (seconds - latency_seconds) * bytes_per_second;
  return std::isfinite(bytes) ? std::max<int64_t>(0, std::llround(bytes)) : 0;
}

}  // namespace

bool is_library_call(CollectiveKind kind) { return kind != CollectiveKind::all_to_all; }

double collective_seconds(const ClusterModel& machine, const CollectiveCall& call) {
  if (call.members.size() < 2) return 0;
  const bool gathers = call.kind == CollectiveKind::all_gather;
  return ring_seconds(machine, gathers ? machine.all_gather : machine.reduce_scatter, call);
}

std::vector<CollectiveMessage> messages_of(const ClusterModel& machine,
                                           const CollectiveCall& call) {
  const double seconds = collective_seconds(machine, call);
  const std::vector<std::vector<int32_t>> nodes = by_node(machine.cluster, call.members);
  const Link& near = machine.intra_node;
  const int32_t count = fewest(nodes);
  const int64_t far_bytes =
      bytes_in(seconds, machine.inter_node.latency_seconds, uplink(machine, count) / count);
  std::vector<CollectiveMessage> messages;
  for (size_t n = 0; n < nodes.size(); ++n) {
    const std::vector<int32_t>& own = nodes[n];
    const auto members = static_cast<int32_t>(own.size());
    const int32_t reached = machine.pair_bytes_per_second > 0 ? std::max(1, members - 1) : 1;
    const int64_t near_bytes =
        bytes_in(seconds, near.latency_seconds, bandwidth_in_node(machine, members) / reached);
    for (int32_t i = 0; members > 1 && i < members; ++i) {
      for (int32_t hop = 1; hop <= reached; ++hop) {
        messages.push_back({own[i], own[(i + hop) % members], near_bytes});
      }
    }
    const std::vector<int32_t>& next = nodes[(n + 1) % nodes.size()];
    for (int32_t i = 0; nodes.size() > 1 && i < count; ++i) {
      messages.push_back({own[i], next[i], far_bytes});
    }
  }
  return messages;
}

}  // namespace cpbench
