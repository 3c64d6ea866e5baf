#include "methods/flexcp/cost.h"

#include <gtest/gtest.h>

#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

const Problem kProblem = layer_problem({.document_lengths = {65536, 8192}}, 8);

TEST(FlexcpCost, PublishedTermsFallWithTheDegreeExceptTheConstant) {
  const Cost cost(kProblem, {.sequence_seconds = 1});
  Cost::Load load = cost.load_of({0, 65536});
  load += cost.load_of({65536, 65536 + 8192});
  EXPECT_NEAR(2 * (cost.seconds(load, 2) - 2), 4 * (cost.seconds(load, 4) - 2), 1e-12);
  EXPECT_LT(cost.seconds(load, 4), cost.seconds(load, 2));
  EXPECT_GT(cost.seconds(load, 4), 2);  // two sequences
}

TEST(FlexcpCost, AStepCostsMoreWhereItIsCalibrated) {
  const Cost ring(kProblem, {.model = CostModel::ring});
  const Cost calibrated(kProblem, {.model = CostModel::calibrated});
  for (const Range sequence : {Range{0, 65536}, Range{65536, 65536 + 8192}}) {
    const Cost::Load load = ring.load_of(sequence);
    EXPECT_EQ(ring.seconds(load, 1), calibrated.seconds(load, 1));
    EXPECT_LT(ring.seconds(load, 8), calibrated.seconds(load, 8));
  }
}

// Simulated iterations of `fixed:tokens=L` with 16K tokens on each rank, shape llama3_8b, both
// passes, as in results/reproduced/flexcp.
TEST(FlexcpCost, CalibratedIsNearTheSimulator) {
  struct Group {
    double cluster_flops, memory, intra, inter, attention, layer;
    int32_t degree;
    int64_t tokens;
    double simulated_seconds;
  };
  for (const Group& g : {Group{989e12, 3.35e12, 450e9, 50e9, 0.362, 0.74, 8, 4096, 50.99e-3},
                         Group{989e12, 3.35e12, 450e9, 50e9, 0.362, 0.74, 16, 4096, 113.99e-3},
                         Group{376e12, 1.6e12, 196e9, 25e9, 0.646, 0.763, 4, 2048, 91.77e-3},
                         Group{376e12, 1.6e12, 196e9, 25e9, 0.646, 0.763, 8, 16384, 135.21e-3}}) {
    const int64_t count = g.degree * 16384 / g.tokens;
    Problem problem = layer_problem(
        {.document_lengths = std::vector<int64_t>(static_cast<size_t>(count), g.tokens)}, g.degree);
    problem.cluster.peak_flops_per_second = g.cluster_flops;
    problem.cluster.memory_bytes_per_second = g.memory;
    problem.cluster.intra_node_bytes_per_second = g.intra;
    problem.cluster.inter_node_bytes_per_second = g.inter;
    const Cost cost(problem, {.model = CostModel::calibrated,
                              .attention_efficiency = g.attention,
                              .layer_efficiency = g.layer});
    Cost::Load load;
    for (const Range& sequence : sequences_of(problem.batch)) load += cost.load_of(sequence);
    EXPECT_NEAR(cost.seconds(load, g.degree) / g.simulated_seconds, 1, 0.1) << g.degree;
  }
}

}  // namespace
}  // namespace cpbench::flexcp
