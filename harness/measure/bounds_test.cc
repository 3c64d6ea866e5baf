#include "harness/measure/bounds.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

Problem problem_of(std::vector<int64_t> lengths, Mask mask = Mask::document_causal) {
  Problem problem;
  problem.batch.document_lengths = std::move(lengths);
  problem.batch.mask = mask;
  problem.shape = {
      .query_heads = 4, .kv_heads = 1, .head_dim = 8, .value_head_dim = 8, .dtype = Dtype::float32};
  problem.cluster.gpus_per_node = 4;
  return problem;
}

TEST(Bounds, ByHand) {
  // 20 tokens on 4 ranks are 5 each. The document of 12 has 7 tokens too many for one rank. Each of
  // them sends at least its K,V of one head, (8 + 8) * 4 bytes, and receives the gradient.
  Bounds both = lower_bounds(problem_of({12, 5, 3}), Passes::both, GradientWire::model);
  EXPECT_EQ(both.tokens_per_rank, 5);
  EXPECT_DOUBLE_EQ(both.pairs_per_rank, (78 + 15 + 6) * 4 / 4.0);
  EXPECT_EQ(both.wire_bytes, 7 * 2 * 64);
  EXPECT_EQ(lower_bounds(problem_of({12, 5, 3}), Passes::forward, GradientWire::model).wire_bytes,
            7 * 64);
}

TEST(Bounds, QueriesTravelIfTheyHaveFewerBytes) {
  Problem problem = problem_of({12, 5, 3});
  problem.shape = {.query_heads = 4, .kv_heads = 4, .dtype = Dtype::bfloat16};
  // Gradients are in fp32. Per token of 4 heads of 64, K,V and dK,dV have 1024 + 2048 bytes; Q, O
  // with its log-sum-exp, dO with two numbers per head, and dQ have 512 + 528 + 544 + 1024.
  EXPECT_EQ(lower_bounds(problem, Passes::both, GradientWire::accumulation).wire_bytes, 7 * 2608);
}

TEST(Bounds, DependOnWhichTokensTheMaskConnects) {
  EXPECT_EQ(lower_bounds(problem_of({5, 5, 5, 5}), Passes::both, GradientWire::model).wire_bytes,
            0);
  EXPECT_EQ(
      lower_bounds(problem_of({5, 5, 5, 5}, Mask::causal), Passes::forward, GradientWire::model)
          .wire_bytes,
      15 * 64);
}

int64_t travelling(const Batch& batch) {
  Problem problem = problem_of({});
  problem.batch = batch;
  return lower_bounds(problem, Passes::forward, GradientWire::model).wire_bytes / 64;
}

// 20 tokens on 4 ranks are 5 each.
TEST(Bounds, WindowsConnectNeighbours) {
  EXPECT_EQ(travelling({{20}, Mask::sliding_window, 1}), 0);
  EXPECT_EQ(travelling({{20}, Mask::sliding_window, 2}), 3);    // 5 + 1 + 5 + 1 + 5 + 1 + 2
  EXPECT_EQ(travelling({{20}, Mask::sliding_window, 4}), 6);    // 5 + 3 + 5 + 3 + 4
  EXPECT_EQ(travelling({{20}, Mask::sliding_window, 20}), 15);  // as document_causal
}

TEST(Bounds, OfEachRule) {
  EXPECT_EQ(travelling({{20}, Mask::chunked, 8}), 3 + 3);  // chunks of 8, 8 and 4
  EXPECT_EQ(travelling({{20}, Mask::block_causal, 2}), 15);
  EXPECT_EQ(travelling({{20}, Mask::prefix, 7}), 15);
}

TEST(Bounds, CachedTokensDoNotMeet) {
  EXPECT_EQ(travelling({{20}, Mask::document_causal, 0, {18}}), 2);  // both queries
  EXPECT_EQ(travelling({{20}, Mask::document_causal, 0, {2}}), 15);
  EXPECT_EQ(travelling({{20}, Mask::chunked, 10, {12}}), 3);  // 8 of one chunk
}

TEST(Bounds, OfTrees) {
  // A prompt of 8 and completions of 6 and 6: 3 + 1 + 1 in themselves, 6 with the prompt.
  EXPECT_EQ(travelling({.document_lengths = {8, 6, 6}, .parents = {-1, 0, 0}}), 6);
  EXPECT_EQ(travelling({.document_lengths = {8, 6, 6}}), 5);
  EXPECT_EQ(travelling({.document_lengths = {12, 4, 4}, .parents = {-1, 0, 0}}), 7);
}

}  // namespace
}  // namespace cpbench
