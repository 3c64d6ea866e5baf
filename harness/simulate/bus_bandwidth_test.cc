#include "harness/simulate/bus_bandwidth.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/machines/clusters.h"

namespace cpbench {
namespace {

constexpr BusTest kTests[] = {BusTest::send_receive, BusTest::all_gather, BusTest::reduce_scatter,
                              BusTest::all_to_all};

// As many nodes as fill up with these ranks.
ClusterModel full_nodes(const ClusterModel& preset, int32_t ranks) {
  const int32_t nodes = std::max(1, ranks / preset.cluster.gpus_per_node);
  return cluster_with_ranks(preset, std::min(ranks, nodes * preset.cluster.gpus_per_node), nodes);
}

TEST(BusBandwidth, NoClusterIsFasterThanItsHardwareOrSlowerForLongerBuffers) {
  for (const ClusterModel& preset : list_clusters()) {
    for (const int32_t ranks : {2, 4, 8, 64, 128}) {
      const ClusterModel machine = full_nodes(preset, ranks);
      for (const BusTest test : kTests) {
        const double limit = bus_bandwidth_limit(machine, test);
        double shorter = 0;
        for (int64_t bytes = 1 << 20; bytes <= int64_t{1} << 32; bytes *= 16) {
          const double found = bus_bandwidth(machine, test, bytes);
          EXPECT_LE(found, limit) << preset.name << " " << ranks << " " << static_cast<int>(test);
          EXPECT_GE(found, shorter) << preset.name << " " << ranks << " " << static_cast<int>(test);
          shorter = found;
        }
        EXPECT_GE(shorter, 0.35 * limit)
            << preset.name << " " << ranks << " " << static_cast<int>(test);
      }
    }
  }
}

// nccl-tests on a node of 8 H200 printed 362.85 and 342.93 GB/s for 1 GiB.
TEST(BusBandwidth, IsWhatNcclTestsPrinted) {
  const ClusterModel h200 = cluster_with_ranks(find_cluster("h200"), 8);
  EXPECT_NEAR(bus_bandwidth(h200, BusTest::all_gather, 1 << 30), 362.85e9, 8e9);
  EXPECT_NEAR(bus_bandwidth(h200, BusTest::reduce_scatter, 1 << 30), 342.93e9, 16e9);
}

TEST(BusBandwidth, LimitsFollowFromTheLinks) {
  const ClusterModel h100 = cluster_with_ranks(find_cluster("h100"), 64);
  EXPECT_DOUBLE_EQ(bus_bandwidth_limit(h100, BusTest::send_receive), 50e9);
  EXPECT_DOUBLE_EQ(bus_bandwidth_limit(h100, BusTest::all_to_all), 50e9 * 63 / 56);
  EXPECT_DOUBLE_EQ(bus_bandwidth_limit(h100, BusTest::all_gather), 8 * 50e9 * 63 / 56);
}

TEST(BusBandwidth, InAMeshOneOtherRankIsSlowAndAllTogetherAreFast) {
  ClusterModel mesh = find_cluster("h100");
  mesh.all_gather.clear();
  const double all = bus_bandwidth(cluster_with_ranks(mesh, 8), BusTest::all_gather, 1 << 30);
  mesh.pair_bytes_per_second = mesh.intra_node.bytes_per_second / 7;
  const ClusterModel eight = cluster_with_ranks(mesh, 8);
  EXPECT_NEAR(bus_bandwidth(eight, BusTest::all_gather, 1 << 30) / all, 1, 1e-6);
  EXPECT_NEAR(bus_bandwidth(eight, BusTest::send_receive, 1 << 30), mesh.pair_bytes_per_second,
              0.01 * mesh.pair_bytes_per_second);
  const ClusterModel two = cluster_with_ranks(mesh, 2);
  EXPECT_LE(bus_bandwidth(two, BusTest::all_gather, 1 << 30), mesh.pair_bytes_per_second);
}

}  // namespace
}  // namespace cpbench
