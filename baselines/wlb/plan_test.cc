#include <gtest/gtest.h>

#include "harness/cost/kernel_time.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

using test_plans::plan_of;
using test_plans::planned_bytes;
using test_plans::problem_of;

double fact(const Problem& problem, const std::string& name,
            std::map<std::string, std::string> set = {}) {
  const Strategy& wlb = find_strategy("wlb");
  for (const ReportedValue& f : wlb.report(problem, Options("wlb", wlb.options, set))) {
    if (f.name == name) return f.value;
  }
  ADD_FAILURE() << "no fact " << name;
  return 0;
}

// The plan is the chosen baseline's, whichever it is.
void expect_chosen(const Problem& problem, const std::string& baseline) {
  EXPECT_EQ(hash_of(plan_of("wlb", problem)), hash_of(plan_of(baseline, problem)));
  EXPECT_EQ(fact(problem, "chose_per_doc"), baseline == "per_doc" ? 1 : 0);
}

TEST(Wlb, ALongDocumentAmongOthersGoesPerDoc) {
  expect_chosen(problem_of({24576, 8192, 16384, 16384}, 4), "per_doc");
}

TEST(Wlb, ShortDocumentsStayWhole) {
  // Per-Doc would cut each into 8 pieces of 32, each of which costs a tile.
  expect_chosen(problem_of(std::vector<int64_t>(64, 256), 4), "allgather");
}

TEST(Wlb, OneDocumentIsATieAndStaysPerSeq) {
  Problem problem = problem_of({16384}, 4);
  EXPECT_EQ(fact(problem, "estimated_per_seq_seconds"), fact(problem, "estimated_per_doc_seconds"));
  expect_chosen(problem, "allgather");
}

// Two documents of 1,024 on 2 ranks, tiles of 128, by hand for cuDNN. Per-Seq: chunks of 512, rank
// 0 has the first half of document 0 and the second of 1: forward tiles 1..4 and 5..8, 8 tiles and
// 36 blocks, as has rank 1. Per-Doc: chunks of 256, rank 0 has tiles 1, 2, 7, 8 of each document:
// again 8 tiles and 36 blocks. Backward the grid has 8 KV blocks for every segment: of 4 and 8 in
// Per-Seq (4 empty), of 2, 8, 2 and 8 in Per-Doc (12 empty).
TEST(Wlb, EstimateByHand) {
  Problem problem = problem_of({1024, 1024}, 2);
  problem.shape = {.query_heads = 64, .kv_heads = 64, .head_dim = 128, .value_head_dim = 128};
  const auto us = [](int empty_blocks) {
    const double forward = 8 * 4.348 + 36 * 1.547;
    const double backward = 8 * 15.41 + 36 * 4.514 + kAssumedEmptyBlockUs * empty_blocks;
    return 1.407 + 32.23 + (forward + backward) * 64 / 132;
  };
  EXPECT_NEAR(fact(problem, "estimated_per_seq_seconds", {{"kernel", "cudnn_h200"}}), us(4) * 1e-6,
              1e-12);
  EXPECT_NEAR(fact(problem, "estimated_per_doc_seconds", {{"kernel", "cudnn_h200"}}), us(12) * 1e-6,
              1e-12);
}

TEST(Wlb, FactsAreRefusedWhereThePlanIs) {
  Problem problem = problem_of({64}, 2);
  EXPECT_THROW(fact(problem, "chose_per_doc", {{"head_groups", "3"}}), Unsupported);
}

// The README's closed form; 2N divides all lengths.
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
