#include <gtest/gtest.h>

#include <algorithm>

#include "harness/strategy/test_plans.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench {
namespace {

constexpr AttentionShape kShape{.dtype = Dtype::bfloat16};

Plan plan_of(const Problem& problem, int32_t head_size, int32_t window_size,
             const std::string& placement = "head_first") {
  return plan_of("loongtrain", problem,
                 {{"head_size", std::to_string(head_size)},
                  {"window_size", std::to_string(window_size)},
                  {"placement", placement}});
}

// Bytes of the point-to-point sends of one tensor.
struct Traffic {
  int64_t all = 0;
  int64_t between_nodes = 0;
};
Traffic ring_traffic(const Problem& problem, const Plan& plan, const Pass& pass, Tensor tensor) {
  Traffic traffic;
  for (const Send& send : pass.sends) {
    if (send.tensor != tensor || send.collective >= 0) continue;
    auto from = static_cast<int32_t>(plan.rank_sets[send.from].front().begin);
    auto to = static_cast<int32_t>(plan.rank_sets[send.to].front().begin);
    int64_t bytes = cost_of(send, pass, plan, problem.shape).total();
    traffic.all += bytes;
    if (problem.cluster.node_of(from) != problem.cluster.node_of(to)) {
      traffic.between_nodes += bytes;
    }
  }
  return traffic;
}

TEST(Loongtrain, EveryGridIsCorrectOnAnyBatch) {
  flashcp::Random random(5);
  for (int i = 0; i < 60; ++i) {
    Batch batch = flashcp::random_batch(random, 5, 40);
    const AttentionShape shapes[] = {{8, 8}, {8, 2}, {7, 7}};
    Problem problem = problem_of(batch, {2, 8}, shapes[i % 3]);
    for (int32_t head_size : {1, 2, 4}) {
      for (int32_t window : {1, 2, 4}) {
        const char* placement = random.between(0, 1) == 0 ? "head_first" : "context_first";
        Plan plan = plan_of(problem, head_size, window, placement);
        ASSERT_EQ(violations(problem, plan), "") << head_size << " " << window << " " << placement;
      }
    }
  }
}

// The closed form of the README: rings of rings move as many bytes as one ring, and only the hops
// from one inner ring to the next cross nodes.
TEST(Loongtrain, BytesAreTheClosedForm) {
  Problem problem = problem_of({1024, 512, 512}, {4, 4}, kShape);
  const AttentionShape& shape = problem.shape;
  int64_t elements = shape.kv_heads * 2 * shape.head_dim;  // of one token's K and V
  int64_t tokens = problem.tokens();
  for (int32_t head_size : {1, 2}) {
    int64_t contexts = 16 / head_size, inner = 4 / head_size, outer = contexts / inner;
    Plan plan = plan_of(problem, head_size, 0);
    EXPECT_EQ(plan.forward.steps, head_size == 1 ? contexts : contexts + 2);
    EXPECT_EQ(plan.backward.steps, contexts + (head_size == 1 ? 2 : 4));
    Traffic kv = ring_traffic(problem, plan, plan.forward, Tensor::kv);
    EXPECT_EQ(kv.all, tokens * (contexts - 1) * elements * 2);
    EXPECT_EQ(kv.between_nodes, tokens * (outer - 1) * elements * 2);
    Traffic dkv = ring_traffic(problem, plan, plan.backward, Tensor::dkv);
    EXPECT_EQ(dkv.all, tokens * (contexts - 1) * elements * 4);
    EXPECT_EQ(dkv.between_nodes, tokens * (outer - 1) * elements * 4);
  }
}

TEST(Loongtrain, OneInnerRingIsUsp) {
  Problem problem = problem_of({70, 33, 5}, 8, kShape);
  Plan same = plan_of("usp", problem, {{"ulysses_degree", "2"}, {"cut", "document"}});
  EXPECT_EQ(hash_of(plan_of(problem, 2, 4)), hash_of(same));
}

TEST(Loongtrain, ContextFirstPutsARingOnConsecutiveRanks) {
  Plan plan = plan_of(problem_of({64}, 8), 2, 4, "context_first");
  for (const Send& send : plan.forward.sends) {
    int64_t from = plan.rank_sets[send.from].front().begin;
    int64_t to = plan.rank_sets[send.to].front().begin;
    if (send.collective >= 0) {
      EXPECT_EQ(from % 4, to % 4);
    } else {
      EXPECT_EQ(from / 4, to / 4);
    }
  }
}

TEST(Loongtrain, DefaultGridIsAsSquareAsHeadsAndNodesAllow) {
  auto shape_of = [](int32_t nodes, int32_t gpus, int32_t kv_heads) {
    Plan plan = plan_of(problem_of({4096}, {nodes, gpus}, {32, kv_heads}), 0, 0);
    return std::pair{32 / plan.forward.attends.front().heads.size(),
                     std::max(1, plan.forward.lookahead + 1)};
  };
  EXPECT_EQ(shape_of(8, 8, 8), (std::pair{8, 2}));    // 8 x 8; a node holds one head group
  EXPECT_EQ(shape_of(8, 8, 2), (std::pair{2, 4}));    // 2 x 32 in windows of 4
  EXPECT_EQ(shape_of(2, 16, 32), (std::pair{4, 4}));  // 4 x 8 in windows of 4
}

TEST(Loongtrain, WindowsThatDoNotDivideAreNamed) {
  EXPECT_EQ(refusal("loongtrain", problem_of({64}, 8), {{"head_size", "2"}, {"window_size", "3"}}),
            "window_size 3 does not divide the 4 context ranks (8 ranks / head_size 2)");
}

}  // namespace
}  // namespace cpbench
