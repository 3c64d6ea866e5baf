#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {
namespace {

// Many equal documents are best left whole; a ring would move all of their K, V.
TEST(WlbOracle, LeavesShortDocumentsWhole) {
  const Problem problem =
      flexcp::layer_problem({.document_lengths = std::vector<int64_t>(64, 4096)}, 16);
  EXPECT_EQ(property("wlb_oracle", problem, "chooses_bytescale"), 1);
  EXPECT_EQ(plan_of("wlb_oracle", problem), plan_of("bytescale", problem));
}

// 9 documents on 8 ranks: by ByteScale one rank has two of them, a ring shares all of them.
TEST(WlbOracle, SharesWhatDoesNotDivide) {
  const Problem problem =
      flexcp::layer_problem({.document_lengths = std::vector<int64_t>(9, 131072)}, 8);
  EXPECT_EQ(property("wlb_oracle", problem, "chooses_bytescale"), 0);
  EXPECT_EQ(plan_of("wlb_oracle", problem), plan_of("zigzag", problem));
}

// README: the bytes are those of the choice, whose expected time is the lesser one.
TEST(WlbOracle, ChoosesTheLesserTime) {
  int rings = 0;
  flexcp::Random random(21);
  for (int i = 0; i < 40; ++i) {
    const int32_t ranks = random.between(0, 1) == 1 ? 8 : 16;
    std::vector<int64_t> lengths(random.between(ranks, 3 * ranks));
    for (int64_t& length : lengths) length = random.between(1 << 12, 1 << 16);
    const Problem problem = flexcp::layer_problem({.document_lengths = lengths}, ranks);
    const Properties report = properties_of("wlb_oracle", problem);
    const bool ring = report.at("ring_seconds") <= report.at("bytescale_seconds");
    rings += ring;
    const Plan plan = plan_of("wlb_oracle", problem);
    const Plan chosen = plan_of(ring ? "zigzag" : "bytescale", problem);
    EXPECT_EQ(planned_bytes(plan, problem.shape), planned_bytes(chosen, problem.shape));
  }
  EXPECT_GT(rings, 0);
  EXPECT_LT(rings, 40);
}

TEST(WlbOracle, PassesTokensPerRankToBytescale) {
  const Problem problem = flexcp::layer_problem({.document_lengths = {3, 100}}, 8);
  EXPECT_EQ(refusal("wlb_oracle", problem, {{"tokens_per_rank", "10"}}),
            refusal("bytescale", problem, {{"tokens_per_rank", "10"}}));
}

}  // namespace
}  // namespace cpbench
