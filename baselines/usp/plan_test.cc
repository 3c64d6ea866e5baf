#include <gtest/gtest.h>

#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench {
namespace {

AttentionShape heads(int32_t query_heads, int32_t kv_heads) {
  return {.query_heads = query_heads, .kv_heads = kv_heads, .dtype = Dtype::bfloat16};
}

Plan plan_of(const Problem& problem, int32_t degree) {
  return plan_of("usp", problem, {{"ulysses_degree", std::to_string(degree)}});
}

Ranges home(const Plan& plan, int32_t rank) {
  RangeSpan span = plan.token_sets[plan.home[rank]];
  return {span.begin(), span.end()};
}

// zigzag_extract_local of yunchang/comm/extract_local.py (rd = ring degree, ud = Ulysses degree,
// rank = ring rank * ud + Ulysses rank): the sequence in 2 rd chunks, ring rank r takes r and
// 2 rd - 1 - r, of which Ulysses rank u takes the u-th of ud equal parts.
TEST(Usp, OwnsTheTokensThatYunchangExtracts) {
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{16}, {9, 4, 3}}) {
    Plan plan = plan_of(problem_of(lengths, 4, heads(4, 4)), 2);
    EXPECT_EQ(home(plan, 0), (Ranges{{0, 4}}));
    EXPECT_EQ(home(plan, 1), (Ranges{{12, 16}}));
    EXPECT_EQ(home(plan, 2), (Ranges{{4, 8}}));
    EXPECT_EQ(home(plan, 3), (Ranges{{8, 12}}));
  }
}

// A ring over two halves of a pack: the head and tail of the pack are short documents, so the other
// rank has the long one. Cut per document, both have half of each.
TEST(Usp, CuttingThePackLeavesWorkUneven) {
  const Problem problem = problem_of({2, 8, 6}, 2, heads(1, 1));
  const MaskIndex mask(problem.batch);
  auto pairs = [&](const char* cut) {
    const Plan plan = plan_of("usp", problem, {{"ulysses_degree", "1"}, {"cut", cut}});
    std::vector<int64_t> out;
    for (SetId set : plan.home) out.push_back(mask.pairs(plan.token_sets[set]));
    return out;
  };
  EXPECT_EQ(pairs("pack"), (std::vector<int64_t>{3 + 3 + (3 + 4 + 5 + 6), 33 + 1 + 2}));
  EXPECT_EQ(pairs("document"), (std::vector<int64_t>{1 + 0 + 18 + 12, 2 + 18 + 9}));
}

TEST(Usp, EveryDegreeIsCorrectOnAnyBatch) {
  flashcp::Random random(3);
  for (int i = 0; i < 30; ++i) {
    for (int32_t degree : {1, 2, 3, 6, 12}) {
      Batch batch = flashcp::random_batch(random, 6, 30);
      Problem problem = problem_of(batch, {3, 4}, heads(12, i % 2 == 0 ? 12 : 4));
      for (const char* cut : {"pack", "document"}) {
        const Settings set = {{"ulysses_degree", std::to_string(degree)}, {"cut", cut}};
        ASSERT_EQ(violations(problem, plan_of("usp", problem, set)), "")
            << "degree " << degree << ", cut " << cut;
      }
    }
  }
}

// The closed form of the README. All lengths divide evenly, so nothing is padded.
TEST(Usp, BytesAreTheClosedForm) {
  for (int32_t degree : {1, 2, 4, 8}) {
    for (int32_t kv_heads : {8, 4}) {
      Problem problem = problem_of({512, 256, 128}, 8, heads(8, kv_heads));
      const AttentionShape& shape = problem.shape;
      int64_t tokens = problem.tokens(), u = degree, c = 8 / u;
      int64_t query = shape.query_heads * shape.head_dim * 2;  // bytes of one token
      int64_t kv_all = u * std::max<int64_t>(1, kv_heads / u) * 2 * shape.head_dim;  // elements
      int64_t side = shape.query_heads * 4;       // log-sum-exp, or row sums
      int64_t kept_apart = tokens * (u - 1) / u;  // tokens that leave their rank, x heads
      int64_t round = tokens * (c - 1);
      Plan plan = plan_of(problem, degree);
      EXPECT_EQ(plan.forward.steps, u == 1 ? c : c + 2);
      EXPECT_EQ(plan.backward.steps, u == 1 ? c + 1 : c == 1 ? 3 : c + 3);
      int64_t forward = kept_apart * (query + kv_all * 2 + query + side) + round * kv_all * 2;
      int64_t wire = c > 1 ? 4 : 2;  // bytes of a gradient's element
      int64_t backward = kept_apart * (query + 2 * side + query / 2 * wire + kv_all * wire) +
                         round * (kv_all * 2 + kv_all * wire);
      EXPECT_EQ(planned_bytes(plan.forward, plan, shape), forward) << degree << " " << kv_heads;
      EXPECT_EQ(planned_bytes(plan.backward, plan, shape), backward) << degree << " " << kv_heads;
    }
  }
}

TEST(Usp, DegreeOneIsTheZigzagRingAndDegreeNHasNoRing) {
  Problem problem = problem_of({40, 24}, 4, heads(4, 2));
  Plan zigzag = plan_of("zigzag", problem);
  Plan ring = plan_of("usp", problem, {{"ulysses_degree", "1"}, {"cut", "document"}});
  EXPECT_TRUE(ring.forward == zigzag.forward);
  EXPECT_EQ(planned_bytes(ring.backward, ring, problem.shape),
            planned_bytes(zigzag.backward, zigzag, problem.shape));
  EXPECT_EQ(ring.backward.steps, zigzag.backward.steps);
  Plan ulysses = plan_of(problem, 4);
  EXPECT_EQ(ulysses.forward.steps, 3);
  for (const Send& send : ulysses.forward.sends) EXPECT_GE(send.collective, 0);
}

TEST(Usp, DefaultDegreeDividesKvHeadsAndStaysInANode) {
  auto heads_per_rank = [](Ranks ranks, const AttentionShape& shape) {
    return plan_of(problem_of({64}, ranks, shape), 0).forward.attends.front().heads.size();
  };
  EXPECT_EQ(heads_per_rank({2, 8}, heads(32, 8)), 32 / 8);
  EXPECT_EQ(heads_per_rank({4, 4}, heads(32, 8)), 32 / 4);
  EXPECT_EQ(heads_per_rank({4, 4}, heads(30, 3)), 30);
}

// The ring carries 2, 2, 2 and 1 heads on the members of each group.
TEST(Usp, UnevenHeads) {
  for (const AttentionShape& shape : {heads(7, 7), heads(14, 7), heads(10, 2)}) {
    const Problem problem = problem_of({40, 24, 1}, 8, shape);
    const Plan plan = plan_of(problem, 4);
    ASSERT_EQ(violations(problem, plan), "");
    int64_t ring = 0;  // KV heads x tokens
    const int64_t kv = 2 * shape.head_dim * 2;
    for (const Send& send : plan.forward.sends) {
      if (send.tensor == Tensor::kv && send.step > 0) {
        ring += cost_of(send, plan.forward, plan, shape).total() / kv;
      }
    }
    // With 10 query heads over 2 KV heads the members have 3, 2, 3, 2, each of one KV head.
    EXPECT_EQ(ring, problem.tokens() * (shape.kv_heads == 7 ? 7 : 4));
  }
}

TEST(Usp, DegreesThatAreNotSupportedAreNamed) {
  EXPECT_EQ(refusal("usp", problem_of({64}, 12), {{"ulysses_degree", "12"}}),
            "ulysses_degree 12 must divide the 12 ranks and be at most the 8 query heads: 1, 2, 3, "
            "4, 6");
}

}  // namespace
}  // namespace cpbench
