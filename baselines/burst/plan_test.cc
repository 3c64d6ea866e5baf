#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

// README: every shard hops N - 1 times, with its K, V forward, and with Q, dO and dQ backward.
TEST(Burst, BytesAreTheClosedForm) {
  for (const Ranks ranks : {Ranks{1}, Ranks{3}, Ranks{8}, Ranks{2, 4}, Ranks{4, 1}}) {
    const Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
    const Plan plan = plan_of("burst", problem);
    const int64_t hops = int64_t{130} * (problem.ranks() - 1);
    const int64_t kv = 2 * (64 + 64) * 4, q = 8 * 64 * 4, d_o = 8 * (64 * 4 + 2 * 4);
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), hops * kv);
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), hops * (q + d_o + q));
  }
}

// README: between nodes each shard hops once for each other node.
TEST(Burst, OneHopOfEachShardToEachOtherNode) {
  const Problem problem = problem_of({120}, {3, 2}, {8, 2});
  const Plan plan = plan_of("burst", problem);
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    int64_t tokens = 0;
    for (const Send& send : pass->sends) {
      const auto from = static_cast<int32_t>(plan.rank_sets[send.from].front().begin);
      const auto to = static_cast<int32_t>(plan.rank_sets[send.to].front().begin);
      if (problem.cluster.node_of(from) == problem.cluster.node_of(to)) continue;
      if (send.tensor == Tensor::kv || send.tensor == Tensor::dq) {
        tokens += plan.token_sets.size_of(send.tokens);
      }
    }
    EXPECT_EQ(tokens, 120 * 2);
  }
}

// README: the more query heads share a KV head, the worse it is to move queries.
TEST(Burst, MovesFewerBytesThanARingOnlyWithAsManyKvHeads) {
  const auto bytes = [](const char* strategy, int32_t kv_heads) {
    const Problem problem = problem_of({128}, 4, {8, kv_heads, 128, 128, Dtype::bfloat16});
    return planned_bytes(plan_of(strategy, problem), problem.shape);
  };
  EXPECT_LT(bytes("burst", 8), bytes("ring", 8));
  EXPECT_GT(bytes("burst", 4), bytes("ring", 4));
}

TEST(Burst, KeysAndTheirGradientsStayInTheBackwardPass) {
  const Plan plan = plan_of("burst", problem_of({100, 29}, {2, 2}, {8, 2}));
  for (const Send& send : plan.backward.sends) {
    EXPECT_TRUE(send.tensor != Tensor::kv && send.tensor != Tensor::dkv);
  }
  EXPECT_TRUE(plan.keep.empty());
}

TEST(Burst, CutsThePackOrEveryDocument) {
  const Problem problem = problem_of({8, 8}, 2);
  const Plan pack = plan_of("burst", problem);
  const Plan document = plan_of("burst", problem, {{"cut", "document"}});
  const auto first = [](const Plan& plan) {
    const RangeSpan home = plan.token_sets[plan.home[0]];
    return Ranges(home.begin(), home.end());
  };
  EXPECT_EQ(first(pack), (Ranges{{0, 4}, {12, 16}}));
  EXPECT_EQ(first(document), (Ranges{{0, 2}, {6, 10}, {14, 16}}));
}

// Cached tokens have no query, so only new tokens travel in the backward pass.
TEST(Burst, OnlyQueriesOfNewTokensTravel) {
  Problem problem = problem_of({64, 32}, 4, {8, 2});
  problem.batch.cached_tokens = {48, 32};
  const Plan plan = plan_of("burst", problem);
  ASSERT_EQ(violations(problem, plan), "");
  const int64_t q = 8 * 64 * 4, d_o = 8 * (64 * 4 + 2 * 4);
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), 16 * 3 * (q + d_o + q));
}

}  // namespace
}  // namespace cpbench
