#include <gtest/gtest.h>

#include "harness/cost/kernel_time.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

// The plan is that of the baseline that was chosen.
void expect_chosen(const Problem& problem, const std::string& baseline) {
  EXPECT_EQ(hash_of(plan_of("wlb", problem)), hash_of(plan_of(baseline, problem)));
  EXPECT_EQ(property("wlb", problem, "chose_per_doc"), baseline == "per_doc" ? 1 : 0);
}

TEST(Wlb, ALongDocumentAmongOthersGoesPerDoc) {
  expect_chosen(problem_of({24576, 8192, 16384, 16384}, 4), "per_doc");
}

TEST(Wlb, ShortDocumentsStayWhole) {
  // Per-Doc would cut each into 8 pieces of 32 tokens, and every piece costs a tile.
  expect_chosen(problem_of(std::vector<int64_t>(64, 256), 4), "allgather");
}

TEST(Wlb, OneDocumentIsATieAndStaysPerSeq) {
  Problem problem = problem_of({16384}, 4);
  EXPECT_EQ(property("wlb", problem, "estimated_per_seq_seconds"),
            property("wlb", problem, "estimated_per_doc_seconds"));
  expect_chosen(problem, "allgather");
}

// The estimate by hand for cuDNN, two documents of 1,024 tokens on 2 ranks, tiles of 128. Per-Seq
// has chunks of 512: rank 0 has the first half of document 0 and the second half of document 1,
// that is tiles 1..4 and 5..8 in the forward pass, 8 tiles and 36 blocks; so has rank 1. Per-Doc
// has chunks of 256: rank 0 has tiles 1, 2, 7, 8 of each document, again 8 tiles and 36 blocks. In
// the backward pass the grid has 8 KV blocks for every segment: Per-Seq uses 4 and 8 of them (4 are
// empty), Per-Doc uses 2, 8, 2 and 8 (12 are empty).
TEST(Wlb, EstimateByHand) {
  Problem problem = problem_of({1024, 1024}, 2);
  problem.shape = {.query_heads = 64, .kv_heads = 64, .head_dim = 128, .value_head_dim = 128};
  const auto us = [](int empty_blocks) {
    const double forward = 8 * 4.834 + 36 * 1.525;
    const double backward = 8 * 22.62 + 36 * 4.26 + kAssumedEmptyBlockUs * empty_blocks;
    return (forward + backward) * 64 / 132;
  };
  EXPECT_NEAR(property("wlb", problem, "estimated_per_seq_seconds", {{"kernel", "cudnn_h200"}}),
              us(4) * 1e-6, 1e-12);
  EXPECT_NEAR(property("wlb", problem, "estimated_per_doc_seconds", {{"kernel", "cudnn_h200"}}),
              us(12) * 1e-6, 1e-12);
}

TEST(Wlb, PropertiesAreRefusedWhereThePlanIs) {
  Problem problem = problem_of({64}, 2);
  EXPECT_THROW(property("wlb", problem, "chose_per_doc", {{"head_groups", "3"}}), Unsupported);
}

// The closed form of the README, for lengths that 2N divides.
TEST(Wlb, BytesAreTheClosedForm) {
  for (int32_t ranks : {1, 2, 4}) {
    Problem problem = problem_of({512, 128, 64}, ranks);
    const AttentionShape& shape = problem.shape;
    Plan plan = plan_of("wlb", problem);
    int64_t expected = (ranks - 1) * problem.tokens() * shape.kv_heads *
                       (shape.head_dim + shape.value_head_dim) * bytes_of(shape.dtype);
    EXPECT_EQ(planned_bytes(plan.forward, plan, shape), expected);
    EXPECT_EQ(planned_bytes(plan.backward, plan, shape), expected);
  }
}

}  // namespace
}  // namespace cpbench
