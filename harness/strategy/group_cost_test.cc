#include "harness/strategy/group_cost.h"

#include <gtest/gtest.h>

#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

Problem two_documents(Mask mask = Mask::document_causal) {
  const Batch batch = batch_of({1000, 3000}, mask, 100);
  Problem problem = problem_of(batch, {2, 4}, {8, 2});
  problem.cluster.peak_flops_per_second = 1e12;
  problem.cluster.intra_node_bytes_per_second = 1e9;
  problem.cluster.inter_node_bytes_per_second = 1e8;
  return problem;
}

TEST(GroupCost, WorkIsTheMasksFlops) {
  const GroupCost cost(two_documents());
  // The forward pass takes 4 Hq D FLOPs per (query, key) pair at half the peak, the backward
  // pass 2.5 times that.
  EXPECT_DOUBLE_EQ(cost.work_seconds(cost.load_of({0, 1000})),
                   3.5 * 4 * 8 * 64 * (1000 * 1001 / 2) / 0.5e12);
  const GroupCost full(two_documents(Mask::document_full));
  EXPECT_DOUBLE_EQ(full.load_of({0, 1000}).attention_seconds, 4.0 * 8 * 64 * 1e6 / 0.5e12);
}

TEST(GroupCost, TheLayerAroundItCountsByTokens) {
  Problem problem = two_documents();
  problem.shape.hidden_size = 512;
  problem.shape.ffn_size = 1024;
  const GroupCost cost(problem);
  const double projections = 2.0 * 512 * (8 * 128 + 2 * 128), ffn = 2.0 * 512 * 3 * 1024;
  EXPECT_DOUBLE_EQ(cost.load_of({0, 1000}).linear_seconds, 3 * 1000 * (projections + ffn) / 0.5e12);
}

TEST(GroupCost, CommunicationDoesNotFallWithTheDegree) {
  const GroupCost cost(two_documents());
  const GroupCost::Load load = cost.load_of({1000, 4000});
  // Links are slow: KV of 2 heads x 128 x 4 bytes for ceil(3000 / 4) tokens takes longer than the
  // attention.
  const double attention = load.attention_seconds / 16;
  const double hop = 1e-5 + 750 * 1024 / 1e9, backward = 1e-5 + 750 * 2048 / 1e9;
  EXPECT_DOUBLE_EQ(cost.ring_seconds(load, 4),
                   cost.work_seconds(load) / 4 + 3 * (std::max(0.0, hop - attention) +
                                                      std::max(0.0, backward - 2.5 * attention)));
  // If a group exceeds a node, the slower link counts.
  EXPECT_GT(cost.ring_seconds(load, 5), cost.ring_seconds(load, 4));
  EXPECT_EQ(cost.ring_seconds(load, 1), cost.work_seconds(load));
}

TEST(GroupCost, UlyssesPaysForEveryExchange) {
  const GroupCost cost(two_documents());
  const GroupCost::Load load = cost.load_of({1000, 4000});
  // Each of two ranks has 4 query heads and 1 KV head. These travel: q, kv, o with its log-sum-exp,
  // do with that and the row sums, dq, dkv.
  const double bytes = 4 * (4 * 64 + 128 + 4 * 65 + 4 * 66 + 4 * 64 + 128);
  EXPECT_DOUBLE_EQ(cost.all_to_all_seconds(load, 2),
                   cost.work_seconds(load) / 2 + 6e-5 + 1500 * bytes / 1e9);
}

TEST(GroupCost, LinksOfANodeExchangeNextToTheNetwork) {
  const GroupCost slowest(two_documents()), each(two_documents(), AllToAll::each_link);
  EXPECT_DOUBLE_EQ(slowest.seconds_per_exchanged_byte(8), 7 / 1e8);
  EXPECT_DOUBLE_EQ(each.seconds_per_exchanged_byte(8), 4 / 1e8);  // 3 / 1e9 at the same time
  EXPECT_DOUBLE_EQ(each.seconds_per_exchanged_byte(5), 3 / 1e9 > 1 / 1e8 ? 3 / 1e9 : 1 / 1e8);
  EXPECT_DOUBLE_EQ(each.seconds_per_exchanged_byte(4), slowest.seconds_per_exchanged_byte(4));
}

TEST(GroupCost, WorkIsThatOfTheMeanLayer) {
  Problem problem = two_documents();
  problem.batch.layer_masks = {{{Mask::document_full, 0}, 1}, {{Mask::document_causal, 0}, 3}};
  const double pairs = (1e6 + 3 * (1000 * 1001 / 2)) / 4;
  EXPECT_DOUBLE_EQ(GroupCost(problem).load_of({0, 1000}).attention_seconds,
                   4.0 * 8 * 64 * pairs / 0.5e12);
}

TEST(GroupCost, AnEmptyClusterHasDefaults) {
  Problem problem = two_documents();
  problem.cluster = {.nodes = 1, .gpus_per_node = 8};
  const GroupCost cost(problem);
  EXPECT_DOUBLE_EQ(cost.load_of({0, 1}).attention_seconds,
                   4.0 * 8 * 64 / (kAttainedFraction * kDefaultFlopsPerSecond));
}

}  // namespace
}  // namespace cpbench
