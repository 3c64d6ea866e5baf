#include "harness/machines/clusters.h"

#include <gtest/gtest.h>

#include "harness/machines/kernel_models.h"
#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

TEST(ClustersTest, EveryShippedClusterIsComplete) {
  const std::vector<ClusterModel> clusters = list_clusters();
  EXPECT_GE(clusters.size(), 9u);
  for (const ClusterModel& m : clusters) {
    EXPECT_FALSE(m.description.empty()) << m.name;
    EXPECT_FALSE(m.source.empty()) << m.name;
    EXPECT_EQ(m.cluster.name, m.name);
    EXPECT_EQ(m.cluster.nodes, 1) << m.name;
    EXPECT_NO_THROW(find_kernel(m.kernel)) << m.name;
    EXPECT_GT(m.kernel_launch_seconds, 0) << m.name;
    EXPECT_LT(m.achieved_memory_bytes_per_second, m.cluster.memory_bytes_per_second) << m.name;
    // A value in the wrong unit would be far outside of these ranges.
    EXPECT_GT(m.cluster.peak_flops_per_second, 1e14) << m.name;
    EXPECT_LT(m.cluster.peak_flops_per_second, 1e16) << m.name;
    EXPECT_GT(m.inter_node.bytes_per_second, 1e10) << m.name;
    EXPECT_LT(m.intra_node.latency_seconds, 1e-4) << m.name;
  }
}

TEST(ClustersTest, KnownClusters) {
  const ClusterModel h100 = find_cluster("h100");
  EXPECT_EQ(h100.cluster.gpus_per_node, 8);
  EXPECT_DOUBLE_EQ(h100.cluster.peak_flops_per_second, 989.5e12);
  EXPECT_DOUBLE_EQ(h100.cluster.memory_bytes, 80e9);
  EXPECT_DOUBLE_EQ(h100.cluster.intra_node_bytes_per_second, 450e9);
  EXPECT_DOUBLE_EQ(h100.intra_node.bytes_per_second, 370e9);
  EXPECT_DOUBLE_EQ(h100.intra_node.latency_seconds, 11.8e-6);
  ASSERT_EQ(h100.all_gather.size(), 3u);
  EXPECT_EQ(h100.all_gather[2].ranks, 8);
  // nccl-tests measured 20,442 us for 8 GiB.
  const CollectiveFit& fit = h100.all_gather[2];
  EXPECT_NEAR(fit.latency_seconds + 7.0 / 8 * 8589934592 / fit.bytes_per_second, 20442e-6, 4e-4);
  // The ratios that the FCP paper states.
  for (const auto& [name, ratio] : {std::pair("fcp_gpu_x", 5920.0), {"fcp_gpu_y", 2500.0}}) {
    const Cluster cluster = find_cluster(name).cluster;
    EXPECT_DOUBLE_EQ(cluster.peak_flops_per_second / cluster.inter_node_bytes_per_second, ratio);
  }
}

// Of the models that were measured on a cluster's GPU, it has the fastest.
TEST(ClustersTest, TheKernelIsTheFastestMeasured) {
  const AttentionShape shape{
      .query_heads = 64, .kv_heads = 8, .head_dim = 128, .value_head_dim = 128};
  const std::vector<AttentionSegment> call = {{8192, 8192, true, 2}};
  int measured = 0;
  for (const ClusterModel& m : list_clusters()) {
    const GpuProperties gpu = {m.name, m.sms, m.cluster.peak_flops_per_second,
                               m.cluster.memory_bytes_per_second};
    const auto seconds = [&](const KernelModel& kernel) {
      return kernel_seconds(kernel, KernelPass::forward, call, shape, 64) +
             kernel_seconds(kernel, KernelPass::backward, call, shape, 64);
    };
    const double own = seconds(scaled_to(find_kernel(m.kernel), gpu));
    for (const KernelModel& kernel : kernel_models()) {
      const KernelModel scaled = scaled_to(kernel, gpu);
      if (scaled.extrapolated || kernel.gpu.sms != m.sms) continue;
      ++measured;
      EXPECT_LE(own, seconds(scaled)) << m.name << ": " << kernel.name;
    }
  }
  EXPECT_GE(measured, 5);  // h100, h200, gb200_nvl72
}

TEST(ClustersTest, RanksDecideTheNodes) {
  const ClusterModel h100 = find_cluster("h100");
  for (const auto& [ranks, nodes, per_node] :
       {std::tuple(1, 1, 1), {5, 1, 5}, {8, 1, 8}, {16, 2, 8}, {4096, 512, 8}}) {
    const Cluster cluster = cluster_with_ranks(h100, ranks).cluster;
    EXPECT_EQ(cluster.nodes, nodes);
    EXPECT_EQ(cluster.gpus_per_node, per_node);
    EXPECT_EQ(cluster.ranks(), ranks);
  }
  EXPECT_EQ(cluster_with_ranks(h100, 8, 4).cluster.gpus_per_node, 2);
  EXPECT_EQ(
      error_of([&] { cluster_with_ranks(h100, 12); }),
      "cluster 'h100' has 8 GPUs per node, and 12 ranks do not fill nodes of that size; ranks "
      "must be a multiple of 8 or at most 8, unless nodes is given");
  EXPECT_EQ(cluster_with_ranks(h100, 12, 2).cluster.gpus_per_node, 6);
  EXPECT_EQ(error_of([&] { cluster_with_ranks(h100, 32, 2); }),
            "32 ranks on 2 nodes are 16 per node, but cluster 'h100' has 8 GPUs per node");
  EXPECT_EQ(error_of([&] { cluster_with_ranks(h100, 12, 5); }), "5 nodes do not divide 12 ranks");
}

constexpr char kGood[] =
    "gpus_per_node = 4\nsms = 100\nkernel = \"fa2_h100\"\npeak_teraflops_per_second = 200\n"
    "memory_gigabytes = 40\nmemory_gigabytes_per_second = 1500\ngemm_efficiency = 0.7\n"
    "intra_node_gigabytes_per_second = 100\nintra_node_latency_microseconds = 10\n";
const std::string kNetwork =
    std::string(kGood) +
    "inter_node_gigabytes_per_second = 25\ninter_node_latency_microseconds = 20\n";

TEST(ClustersTest, AFileOfTheUserInNineLines) {
  TestFile file("mine.toml", kGood);
  const ClusterModel mine = find_cluster(file.path());
  EXPECT_EQ(mine.name, "mine");
  EXPECT_DOUBLE_EQ(mine.cluster.memory_bytes, 40e9);
  EXPECT_DOUBLE_EQ(mine.achieved_memory_bytes_per_second,
                   1500e9);  // left out, so it is the nominal one
  EXPECT_DOUBLE_EQ(mine.intra_node.bytes_per_second, 100e9);
  EXPECT_EQ(mine.mean_error, -1);
  EXPECT_EQ(error_of([&] { cluster_with_ranks(mine, 8); }),
            "cluster 'mine' has only one node; 2 nodes require 'inter_node_gigabytes_per_second'");
}

std::string refused(const std::string& text) {
  return error_of([&] { parse_cluster({"mine", "mine.toml", text}); });
}

TEST(ClustersTest, BadFilesNameLineAndKey) {
  EXPECT_EQ(refused(kGood), "");
  EXPECT_EQ(refused(kNetwork), "");
  EXPECT_EQ(refused(std::string(kGood).substr(18)), "mine.toml: 'gpus_per_node' is missing");
  EXPECT_EQ(refused(std::string(kGood) + "smss = 3\n"),
            "mine.toml:10: unknown key 'smss'; did you mean 'sms'?");
  const auto with = [](const std::string& line) { return refused(std::string(kGood) + line); };
  EXPECT_EQ(with("kernel_launch_microseconds = -1\n"),
            "mine.toml:10: 'kernel_launch_microseconds' must be a number from 0 to 1000000");
  EXPECT_EQ(with("inter_node_gigabytes_per_second = 0\n"),
            "mine.toml:10: 'inter_node_gigabytes_per_second' must be a number above 0 and at most "
            "1000000");
  EXPECT_EQ(with("inter_node_gigabytes_per_second = 50e9\n"),
            "mine.toml:10: 'inter_node_gigabytes_per_second' must be a number above 0 and at most "
            "1000000");
  EXPECT_EQ(with("network_mean_error = nan\n"),
            "mine.toml:10: 'network_mean_error' must be a number of at least 0");
  EXPECT_EQ(with("achieved_memory_gigabytes_per_second = \"much\"\n"),
            "mine.toml:10: 'achieved_memory_gigabytes_per_second' must be a number above 0 and at "
            "most 1000000");
  EXPECT_EQ(with("achieved_memory_gigabytes_per_second = 1501\n"),
            "mine.toml:10: 'achieved_memory_gigabytes_per_second' is more than "
            "'memory_gigabytes_per_second', the nominal rate of 1500");
  EXPECT_EQ(with("node_uplink_gigabytes_per_second = 100\n"),
            "mine.toml:10: 'node_uplink_gigabytes_per_second' requires "
            "'inter_node_gigabytes_per_second'");
  EXPECT_EQ(with("inter_node_gigabytes_per_second = 25\n"),
            "mine.toml: 'inter_node_latency_microseconds' is missing");
  EXPECT_EQ(with("pooled_nics = true\n"),
            "mine.toml:10: 'pooled_nics' requires 'inter_node_gigabytes_per_second'");
  EXPECT_EQ(with("source = 3\n"), "mine.toml:10: 'source' must be a string");
  EXPECT_EQ(with("gpus_per_node = 8\n").find("mine.toml:10: "), 0u);  // the key is there twice
  EXPECT_EQ(refused("gpus_per_node = 2.5\n"),
            "mine.toml:1: 'gpus_per_node' must be a whole number from 1 to 2147483647");
}

TEST(ClustersTest, BadCollectivesNameLineAndKey) {
  const std::string row = "[[all_gather]]\nlatency_microseconds = 20\ngigabytes_per_second = 80\n";
  const auto with = [](const std::string& text) { return refused(std::string(kGood) + text); };
  EXPECT_EQ(with(row + "ranks = 4\n"), "");
  EXPECT_EQ(with(row), "mine.toml:10: [[all_gather]]: 'ranks' is missing");
  EXPECT_EQ(with(row + "ranks = 1\n"),
            "mine.toml:13: 'ranks' must be a whole number from 2 to 2147483647");
  EXPECT_EQ(with(row + "rank = 4\n"), "mine.toml:13: unknown key 'rank'; did you mean 'ranks'?");
  EXPECT_EQ(with(row + "ranks = 4\n" + row + "ranks = 2\n"),
            "mine.toml:14: [[all_gather]] with ranks = 2 comes after ranks = 4; must ascend");
  EXPECT_EQ(with("all_gather = 3\n"), "mine.toml:10: 'all_gather' must be [[all_gather]] tables");
}

TEST(ClustersTest, WhatIsWrittenIsReadBack) {
  for (const ClusterModel& m : list_clusters()) {
    const std::string text = cluster_toml(m);
    const ClusterModel again = parse_cluster({m.name, "again", text});
    EXPECT_EQ(cluster_toml(again), text);
    EXPECT_EQ(again.source, m.source);
    EXPECT_EQ(again.all_gather.size(), m.all_gather.size());
    EXPECT_DOUBLE_EQ(again.cluster.peak_flops_per_second, m.cluster.peak_flops_per_second);
    EXPECT_EQ(again.mean_error, m.mean_error);
  }
  ClusterModel quoted = find_cluster("h100");
  quoted.description = "a \"quoted\" back\\slash\nand a line";
  EXPECT_EQ(parse_cluster({"q", "q", cluster_toml(quoted)}).description, quoted.description);
}

TEST(ClustersTest, UnknownNamesAndFiles) {
  EXPECT_EQ(error_of([] { find_cluster("h10"); }), "unknown cluster 'h10'; did you mean 'h100'?");
  EXPECT_EQ(error_of([] { find_cluster("no/such.toml"); }),
            "cannot read the cluster file 'no/such.toml': it does not exist");
}

}  // namespace
}  // namespace cpbench
