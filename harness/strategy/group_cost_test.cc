#include "harness/strategy/group_cost.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

Problem problem_of(Mask mask = Mask::document_causal) {
  Problem problem;
  problem.batch = {{1000, 3000}, mask, mask == Mask::sliding_window ? 100 : 0};
  problem.shape = {.query_heads = 8, .kv_heads = 2, .head_dim = 64, .value_head_dim = 64};
  problem.cluster.nodes = 2;
  problem.cluster.gpus_per_node = 4;
  problem.cluster.peak_flops_per_second = 1e12;
  problem.cluster.intra_node_bytes_per_second = 1e9;
  problem.cluster.inter_node_bytes_per_second = 1e8;
  return problem;
}

TEST(GroupCost, WorkIsTheMasksFlops) {
  const GroupCost cost(problem_of());
  // 4 Hq D pairs forward at half the peak, and 2.5 times that backward.
  EXPECT_DOUBLE_EQ(cost.work_seconds(cost.load_of({0, 1000})),
                   3.5 * 4 * 8 * 64 * (1000 * 1001 / 2) / 0.5e12);
  const GroupCost full(problem_of(Mask::document_full));
  EXPECT_DOUBLE_EQ(full.load_of({0, 1000}).attention_seconds, 4.0 * 8 * 64 * 1e6 / 0.5e12);
}

TEST(GroupCost, TheLayerAroundItCountsByTokens) {
  Problem problem = problem_of();
  problem.shape.hidden_size = 512;
  problem.shape.ffn_size = 1024;
  const GroupCost cost(problem);
  const double projections = 2.0 * 512 * (8 * 128 + 2 * 128), ffn = 2.0 * 512 * 3 * 1024;
  EXPECT_DOUBLE_EQ(cost.load_of({0, 1000}).linear_seconds, 3 * 1000 * (projections + ffn) / 0.5e12);
}

TEST(GroupCost, CommunicationDoesNotFallWithTheDegree) {
  const GroupCost cost(problem_of());
  const GroupCost::Load load = cost.load_of({1000, 4000});
  // Slow links: KV of 2 heads x 128 x 4 bytes for ceil(3000 / 4) tokens outlasts the attention.
  const double attention = load.attention_seconds / 16;
  const double hop = 1e-5 + 750 * 1024 / 1e9, backward = 1e-5 + 750 * 2048 / 1e9;
  EXPECT_DOUBLE_EQ(cost.ring_seconds(load, 4),
                   cost.work_seconds(load) / 4 + 3 * (std::max(0.0, hop - attention) +
                                                      std::max(0.0, backward - 2.5 * attention)));
  // Beyond a node the slower link counts.
  EXPECT_GT(cost.ring_seconds(load, 5), cost.ring_seconds(load, 4));
  EXPECT_EQ(cost.ring_seconds(load, 1), cost.work_seconds(load));
}

TEST(GroupCost, UlyssesPaysForEveryExchange) {
  const GroupCost cost(problem_of());
  const GroupCost::Load load = cost.load_of({1000, 4000});
  // Two ranks, 4 query heads and 1 KV head of each: q, kv, o with its log-sum-exp, do with that and
  // the row sums, dq, dkv.
  const double bytes = 4 * (4 * 64 + 128 + 4 * 65 + 4 * 66 + 4 * 64 + 128);
  EXPECT_DOUBLE_EQ(cost.all_to_all_seconds(load, 2),
                   cost.work_seconds(load) / 2 + 6e-5 + 1500 * bytes / 1e9);
}

TEST(GroupCost, AnEmptyClusterHasDefaults) {
  Problem problem = problem_of();
  problem.cluster = {.nodes = 1, .gpus_per_node = 8};
  const GroupCost cost(problem);
  EXPECT_DOUBLE_EQ(cost.load_of({0, 1}).attention_seconds,
                   4.0 * 8 * 64 / (kAttainedFraction * kDefaultFlopsPerSecond));
}

}  // namespace
}  // namespace cpbench
