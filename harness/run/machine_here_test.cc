#include "harness/run/machine_here.h"

#include <gtest/gtest.h>

#include "harness/machines/clusters.h"

namespace cpbench {
namespace {

TEST(MachineHere, GpusOfTheDriversLines) {
  const auto gpus = parse_gpus(
      "NVIDIA H100 80GB HBM3, 81559\nNVIDIA H200, 143771\nno number, here\n\nFailed to connect\n");
  ASSERT_EQ(gpus.size(), 2u);
  EXPECT_EQ(gpus[0].name, "NVIDIA H100 80GB HBM3");
  EXPECT_DOUBLE_EQ(gpus[0].memory_bytes, 81559.0 * 1024 * 1024);
  EXPECT_EQ(gpus[1].name, "NVIDIA H200");
}

TEST(MachineHere, KnownGpusAreTheShippedClusters) {
  for (const auto& [name, peak] : {std::pair("NVIDIA H100 80GB HBM3", 989.5e12),
                                   {"NVIDIA H200", 989.5e12},
                                   {"NVIDIA H20", 148e12},
                                   {"NVIDIA B200", 2250e12},
                                   {"NVIDIA A100-SXM4-80GB", 312e12}}) {
    const auto machine = machine_of_gpus({{name, 5e10}, {name, 5e10}});
    ASSERT_TRUE(machine) << name;
    EXPECT_EQ(machine->cluster.gpus_per_node, 2);
    EXPECT_EQ(machine->cluster.peak_flops_per_second, peak) << name;
    EXPECT_EQ(machine->cluster.memory_bytes, 5e10);
  }
  EXPECT_FALSE(machine_of_gpus({}));
  EXPECT_FALSE(machine_of_gpus({{"Tesla T4", 1}}));
  EXPECT_FALSE(machine_of_gpus({{"NVIDIA H100 PCIe", 1}}));  // no NVLink switch
  EXPECT_FALSE(machine_of_gpus({{"NVIDIA H200", 1}, {"NVIDIA H100", 1}}));
}

TEST(MachineHere, CoresMakeAClusterFile) {
  const ClusterModel machine = machine_of_cores();
  EXPECT_GT(machine.cluster.peak_flops_per_second, 1e8);
  EXPECT_GT(machine.achieved_memory_bytes_per_second, 1e7);
  EXPECT_GT(machine.intra_node.latency_seconds, 0);
  const ClusterModel again = parse_cluster({"here", "here.toml", cluster_toml(machine)});
  EXPECT_EQ(again.cluster.gpus_per_node, machine.cluster.gpus_per_node);
}

}  // namespace
}  // namespace cpbench
