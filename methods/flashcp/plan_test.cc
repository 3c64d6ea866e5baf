#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"
#include "methods/flashcp/heuristic.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::flashcp {
namespace {

Plan plan_of(const Problem& problem, const Settings& set = {}) {
  return plan_of("flashcp", problem, set);
}

TEST(FlashcpPlan, CorrectOnAnyBatch) {
  Random random(17);
  for (int i = 0; i < 400; ++i) {
    const Problem problem = problem_of(random_batch(random, 12, 40), random.between(1, 16));
    for (const char* transfers : {"padded", "exact"}) {
      for (const char* mode : {"hybrid", "whole_doc", "per_doc"}) {
        const char* rotate = random.between(0, 1) ? "true" : "false";
        const char* overlap = random.between(0, 1) ? "true" : "false";
        const Plan plan = plan_of(
            problem,
            {{"transfers", transfers}, {"mode", mode}, {"rotate", rotate}, {"overlap", overlap}});
        ASSERT_EQ(violations(problem, plan), "") << "batch " << i << " " << transfers << " " << mode
                                                 << " rotate=" << rotate << " overlap=" << overlap;
      }
    }
  }
}

// According to the paper, forward and backward passes together move 4 B H D (N - 1) elements per
// rank.
TEST(FlashcpPlan, BytesAreThePapersClosedForm) {
  for (int32_t ranks : {1, 2, 4, 7, 8}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const Problem problem = problem_of(pile_like_pack(4096, seed), ranks);
      const Visibility sees(problem.batch);
      const auto& documents = problem.batch.document_lengths;
      const int64_t b =
          load_of(place(documents, ranks, sees, {}), documents, ranks, sees).padded_tokens();
      const int64_t elements =
          4 * b * problem.shape.query_heads * problem.shape.head_dim * (ranks - 1);
      EXPECT_EQ(planned_bytes(plan_of(problem), problem.shape),
                ranks * elements * bytes_of(problem.shape.dtype));
    }
  }
}

TEST(FlashcpPlan, ExactTransfersNeverMoveMore) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = problem_of(pile_like_pack(4096, seed), 8);
    EXPECT_LE(planned_bytes(plan_of(problem, {{"transfers", "exact"}}), problem.shape),
              planned_bytes(plan_of(problem), problem.shape));
  }
}

TEST(FlashcpPlan, NothingToSendMeansNoCollectiveAndOneStep) {
  const Problem problem = problem_of({8, 8}, 2);
  for (const char* overlap : {"true", "false"}) {
    const Plan plan = plan_of(problem, {{"overlap", overlap}});
    EXPECT_TRUE(plan.forward.collectives.empty());
    EXPECT_TRUE(plan.forward.sends.empty());
    EXPECT_TRUE(plan.backward.sends.empty());
    EXPECT_EQ(plan.forward.steps, 1);
    EXPECT_EQ(violations(problem, plan), "");
  }
}

TEST(FlashcpPlan, WithoutOverlapAllAttentionFollowsTheAllGather) {
  const Problem problem = problem_of({7, 5, 4}, 2);
  const auto first_attend = [&](const char* overlap) {
    const Plan plan = plan_of(problem, {{"overlap", overlap}});
    int32_t first = plan.forward.steps;
    for (const Attend& attend : plan.forward.attends) first = std::min(first, attend.step);
    return first;
  };
  EXPECT_EQ(first_attend("true"), 0);
  EXPECT_EQ(first_attend("false"), 1);
  EXPECT_EQ(planned_bytes(plan_of(problem, {{"overlap", "true"}}), problem.shape),
            planned_bytes(plan_of(problem), problem.shape));
}

TEST(FlashcpPlan, SetsStayLinearInShards) {
  const Problem problem = problem_of(pile_like_pack(1 << 20, 1), 64);
  const Visibility sees(problem.batch);
  const size_t shards = place(problem.batch.document_lengths, 64, sees, {}).size();
  for (const char* transfers : {"padded", "exact"}) {
    const Plan plan = plan_of(problem, {{"transfers", transfers}});
    size_t ranges = 0;
    for (SetId id = 0; id < plan.token_sets.count(); ++id) ranges += plan.token_sets[id].size();
    EXPECT_LE(ranges, 5 * shards);
  }
}

#ifdef CPBENCH_WITH_CBC
TEST(FlashcpPlan, ExactSolverMakesACorrectPlan) {
  const Problem problem = problem_of({30, 14, 9, 6, 5}, 3);
  for (const char* objective : {"time", "bytes"}) {
    const Plan plan =
        plan_of(problem, {{"solver", "exact"}, {"granularity", "4"}, {"objective", objective}});
    EXPECT_EQ(violations(problem, plan), "");
  }
}
#endif

TEST(FlashcpPlan, RefusesUnknownValues) {
  const Problem problem = problem_of({4}, 2);
  EXPECT_THROW(plan_of(problem, {{"ratio", "0.9"}}), UserError);
  EXPECT_THROW(plan_of(problem, {{"transfers", "most"}}), UserError);
}

}  // namespace
}  // namespace cpbench::flashcp
