#include "harness/simulate/collectives.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <utility>

#include "harness/simulate/ports.h"

namespace cpbench {
namespace {

ClusterModel cluster_of(int32_t nodes, int32_t gpus) {
  ClusterModel machine;
  machine.cluster.nodes = nodes;
  machine.cluster.gpus_per_node = gpus;
  machine.intra_node = {1e-6, 100e9};
  machine.inter_node = {5e-6, 40e9};
  machine.all_gather = {{2, 10e-6, 350e9}, {8, 50e-6, 370e9}};
  machine.reduce_scatter = {{8, 60e-6, 360e9}};
  return machine;
}

CollectiveCall call_of(CollectiveKind kind, int32_t ranks, int64_t block_bytes) {
  CollectiveCall call{kind, std::vector<int32_t>(ranks), block_bytes};
  std::iota(call.members.begin(), call.members.end(), 0);
  return call;
}

TEST(Collectives, OnOneNodeTheNearestFitIsUsed) {
  const ClusterModel machine = cluster_of(1, 8);
  const auto seconds = [&](CollectiveKind kind, int32_t ranks) {
    return collective_seconds(machine, call_of(kind, ranks, 1'000'000));
  };
  EXPECT_DOUBLE_EQ(seconds(CollectiveKind::all_gather, 8), 50e-6 + 7e6 / 370e9);
  EXPECT_DOUBLE_EQ(seconds(CollectiveKind::all_gather, 3), 10e-6 + 2e6 / 350e9);
  EXPECT_DOUBLE_EQ(seconds(CollectiveKind::all_gather, 1), 0);
  EXPECT_DOUBLE_EQ(seconds(CollectiveKind::reduce_scatter, 2), 60e-6 + 1e6 / 360e9);
}

TEST(Collectives, AcrossNodesARingIsLimitedByTheLinksOfANodeTogether) {
  const ClusterModel machine = cluster_of(4, 8);
  // Eight NICs of 40 GB/s are 320 GB/s, less than the 370 within the node.
  EXPECT_DOUBLE_EQ(collective_seconds(machine, call_of(CollectiveKind::all_gather, 32, 1'000'000)),
                   50e-6 + 3 * 5e-6 + 31e6 / 320e9);
  // One member on each node has only one NIC.
  EXPECT_DOUBLE_EQ(
      collective_seconds(machine, {CollectiveKind::all_gather, {0, 8, 16, 24}, 1'000'000}),
      10e-6 + 3 * 5e-6 + 3e6 / 40e9);
}

TEST(Collectives, WithoutMeasuredRowsTheLinksOfANodeGiveThem) {
  ClusterModel machine = cluster_of(4, 8);
  machine.all_gather.clear();
  const double ring = 1e-6 * (1 + 6 * 3.4 / 11.8);  // a message's latency, and six hops more
  // 320 GB/s between nodes are more than the 100 within a node.
  EXPECT_DOUBLE_EQ(collective_seconds(machine, call_of(CollectiveKind::all_gather, 32, 1'000'000)),
                   ring + 3 * 5e-6 + 31e6 / 100e9);
  machine.node_uplink_bytes_per_second = 50e9;
  EXPECT_DOUBLE_EQ(collective_seconds(machine, call_of(CollectiveKind::all_gather, 32, 1'000'000)),
                   ring + 3 * 5e-6 + 31e6 / 50e9);
  EXPECT_DOUBLE_EQ(collective_seconds(machine, call_of(CollectiveKind::all_gather, 8, 1'000'000)),
                   ring + 7e6 / 100e9);
}

// When the last message of the calls arrives, which begin at once.
double last_arrival(const ClusterModel& machine, const std::vector<CollectiveCall>& calls) {
  Ports ports(machine);
  int32_t id = 0;
  for (const CollectiveCall& call : calls) {
    for (const CollectiveMessage& m : messages_of(machine, call)) {
      ports.start(id++, m.from, m.to, m.bytes, 0);
    }
  }
  double last = 0;
  while (ports.next_seconds() < std::numeric_limits<double>::infinity()) {
    last = ports.next_seconds();
    ports.advance(last);
  }
  return last;
}

TEST(Collectives, TheirMessagesAloneTakeTheClosedForm) {
  for (const auto& [uplink, pair] : {std::pair(0.0, 0.0), {90e9, 0.0}, {0.0, 20e9}}) {
    ClusterModel machine = cluster_of(4, 8);
    machine.node_uplink_bytes_per_second = uplink;
    machine.pair_bytes_per_second = pair;
    for (const CollectiveKind kind : {CollectiveKind::all_gather, CollectiveKind::reduce_scatter}) {
      for (const std::vector<int32_t>& members :
           {std::vector<int32_t>{0, 1, 2}, {0, 8, 16, 24}, {0, 1, 2, 8, 9}, {4, 5, 30, 31}}) {
        const CollectiveCall call{kind, members, 3'000'000};
        EXPECT_NEAR(last_arrival(machine, {call}) / collective_seconds(machine, call), 1, 1e-6);
      }
    }
  }
}

TEST(Collectives, TwoAtOnceShareTheirPorts) {
  const ClusterModel machine = cluster_of(2, 8);
  for (const int32_t ranks : {8, 16}) {
    const CollectiveCall call = call_of(CollectiveKind::all_gather, ranks, 10'000'000);
    const double alone = collective_seconds(machine, call);
    const double latency =
        ranks == 8 ? machine.intra_node.latency_seconds : machine.inter_node.latency_seconds;
    EXPECT_NEAR((last_arrival(machine, {call, call}) - latency) / (alone - latency), 2, 1e-2);
  }
}

TEST(Collectives, AnAllToAllIsItsMessages) {
  EXPECT_TRUE(is_library_call(CollectiveKind::reduce_scatter));
  EXPECT_FALSE(is_library_call(CollectiveKind::all_to_all));
}

}  // namespace
}  // namespace cpbench
