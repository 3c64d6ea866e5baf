#include <gtest/gtest.h>

#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

Problem cached_problem(int64_t length, int64_t cached, Ranks ranks = 4) {
  Problem problem = problem_of({length}, ranks, {16, 1});
  problem.batch.cached_tokens = {cached};
  return problem;
}

double property(const Problem& problem, const std::string& name,
                const std::string& rule = "algorithm_1") {
  return property("pass_auto", problem, name, {{"rule", rule}});
}

bool passes_q(const Problem& problem, const std::string& rule = "algorithm_1") {
  return property(problem, "passes_q", rule) == 1;
}

// With 16 query heads and 1 KV head, K and V weigh less than Q if at least 2 / 16 of the tokens are
// new.
TEST(PassAuto, WithoutAKnownClusterTheShareDecides) {
  EXPECT_TRUE(passes_q(cached_problem(160, 141)));
  EXPECT_FALSE(passes_q(cached_problem(160, 140)));
  EXPECT_FALSE(passes_q(cached_problem(160, 0)));
  EXPECT_TRUE(passes_q(cached_problem(160, 159)));
}

TEST(PassAuto, EnoughNewTokensHideTheKv) {
  Problem problem = cached_problem(100000, 99000);
  problem.cluster.peak_flops_per_second = 1e15;
  problem.cluster.intra_node_bytes_per_second = 5e11;
  // 4 * 1e15 * 1 * 4 / (2 * 16 * 5e11) = 1000
  EXPECT_DOUBLE_EQ(property(problem, "new_tokens_to_pass_kv"), 1000);
  EXPECT_FALSE(passes_q(problem));
  problem.batch.cached_tokens = {99001};
  EXPECT_TRUE(passes_q(problem));
}

TEST(PassAuto, TheSlowestLinkOfTheRingCounts) {
  Problem problem = cached_problem(100000, 99000, {2, 2});
  problem.cluster.peak_flops_per_second = 1e15;
  problem.cluster.intra_node_bytes_per_second = 5e11;
  problem.cluster.inter_node_bytes_per_second = 2.5e11;
  EXPECT_DOUBLE_EQ(property(problem, "new_tokens_to_pass_kv"), 2000);
  problem.cluster.inter_node_bytes_per_second = 0;
  EXPECT_EQ(property(problem, "new_tokens_to_pass_kv"), 0);
}

// Section 4.2.4 of the paper (Llama 3 405B, 128,000 tokens, 4 nodes of 8 GPUs of 800 TFLOP/s and 50
// GB/s each, which hold 16 query heads and 1 KV head each): "when cache miss rate falls below 3.25%
// [4,160 new tokens], pass-KV communication becomes exposed"; at 2.5% (3,200) pass-Q is chosen, and
// Table 4 measures it the faster; at 10% (12,800) "pass-KV remains the choice".
TEST(PassAuto, ChoosesAsThePaperReports) {
  const auto with_new_tokens = [](int64_t tokens) {
    Problem problem = cached_problem(128000, 128000 - tokens);
    problem.shape.dtype = Dtype::bfloat16;
    problem.cluster.peak_flops_per_second = 8e14;
    problem.cluster.intra_node_bytes_per_second = 5e10;
    return problem;
  };
  EXPECT_TRUE(passes_q(with_new_tokens(3200)));  // Algorithm 5 sees a tie
  for (const char* rule : {"algorithm_1", "algorithm_5"}) {
    EXPECT_DOUBLE_EQ(property(with_new_tokens(3200), "new_tokens_to_pass_kv", rule), 4000);
    EXPECT_TRUE(passes_q(with_new_tokens(1280), rule));
    EXPECT_FALSE(passes_q(with_new_tokens(4160), rule));
    EXPECT_FALSE(passes_q(with_new_tokens(12800), rule));
  }
}

// Equation 5: the share of new tokens above which K, V travel is lower by 4 T BW / (N C e).
TEST(PassAuto, AlgorithmFiveCountsTheReturn) {
  Problem problem = cached_problem(100000, 99500);
  EXPECT_EQ(property(problem, "new_share_to_pass_kv", "algorithm_5"),
            0.125);  // the cluster is unknown
  problem.cluster.peak_flops_per_second = 1e15;
  problem.cluster.intra_node_bytes_per_second = 5e11;
  EXPECT_EQ(property(problem, "new_share_to_pass_kv"), 0.125);
  // 4 * 500 * 5e11 / (4 * 1e15 * 4) = 0.0625
  EXPECT_DOUBLE_EQ(property(problem, "new_share_to_pass_kv", "algorithm_5"), 0.0625);
  EXPECT_TRUE(passes_q(problem, "algorithm_5"));
  Problem shorter = problem;  // 500 new tokens of 5,000: 0.1
  shorter.batch.document_lengths = {5000};
  shorter.batch.cached_tokens = {4500};
  EXPECT_TRUE(passes_q(shorter));
  EXPECT_FALSE(passes_q(shorter, "algorithm_5"));
}

TEST(PassAuto, PlansWhatItSays) {
  Problem few = cached_problem(160, 150), many = cached_problem(160, 40);
  EXPECT_TRUE(plan_of("pass_auto", few) == plan_of("pass_q", few));
  EXPECT_TRUE(plan_of("pass_auto", many) ==
              ring_plan(many, new_and_cached_shards(many.batch, many.ranks())));
  // All 160 tokens' K, V of one head cross three links.
  Plan plan = plan_of("pass_auto", many);
  EXPECT_EQ(planned_bytes(plan.forward, plan, many.shape), 3 * 160 * (64 + 64) * 4);
}

// At T / (T + P) = 2 Hkv / Hq both move the same bytes of Q and KV, not counting the return of O.
TEST(PassAuto, AtTheThresholdQAndKvWeighTheSame) {
  Problem problem = cached_problem(160, 140);
  Plan kv = plan_of("pass_auto", problem), q = plan_of("pass_q", problem);
  int64_t bytes_of_q = 0;
  for (const Send& send : q.forward.sends) {
    if (send.tensor == Tensor::q) bytes_of_q += cost_of(send, q.forward, q, problem.shape).total();
  }
  EXPECT_EQ(bytes_of_q, planned_bytes(kv.forward, kv, problem.shape));
}

}  // namespace
}  // namespace cpbench
