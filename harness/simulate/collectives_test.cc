#include "harness/simulate/collectives.h"

#include <gtest/gtest.h>

#include <numeric>

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
  EXPECT_DOUBLE_EQ(seconds(CollectiveKind::all_to_all, 8), 1e-6 + 7e6 / 100e9);
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

TEST(Collectives, AnAllToAllAcrossNodesIsLimitedByItsShareOfTheLinks) {
  ClusterModel machine = cluster_of(2, 8);
  machine.inter_node_all_to_all_efficiency = 0.5;
  EXPECT_DOUBLE_EQ(collective_seconds(machine, call_of(CollectiveKind::all_to_all, 16, 1'000'000)),
                   5e-6 + 8e6 / 20e9);
  machine.node_uplink_bytes_per_second = 160e9;  // half of the NICs
  EXPECT_DOUBLE_EQ(collective_seconds(machine, call_of(CollectiveKind::all_to_all, 16, 1'000'000)),
                   5e-6 + 8e6 / 10e9);
}

TEST(Collectives, WithoutAFitThereIsNoClosedForm) {
  ClusterModel machine = cluster_of(1, 8);
  machine.all_gather.clear();
  EXPECT_FALSE(has_fit(machine, CollectiveKind::all_gather));
  EXPECT_TRUE(has_fit(machine, CollectiveKind::reduce_scatter));
}

}  // namespace
}  // namespace cpbench
