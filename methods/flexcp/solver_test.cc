#include "methods/flexcp/solver.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/plan/error_of_for_tests.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

void expect_sound(const Solution& solution, const Loads& loads, const Limits& limits) {
  std::set<int32_t> seen;
  for (const std::vector<Bin>& bins : solution.micro_batches) {
    int32_t used = 0;
    for (const Bin& bin : bins) {
      used += bin.degree;
      int64_t tokens = 0;
      for (int32_t s : bin.sequences) {
        EXPECT_TRUE(seen.insert(s).second);
        tokens += loads[s].tokens;
      }
      EXPECT_LE(tokens, limits.tokens_per_rank * bin.degree);
    }
    EXPECT_LE(used, limits.ranks);
  }
  EXPECT_EQ(seen.size(), loads.size());
}

TEST(FlexcpSolver, NeverSlowerThanTheBestStaticDegree) {
  Random random(8);
  int faster = 0;
  for (int i = 0; i < 200; ++i) {
    const auto ranks = static_cast<int32_t>(random.between(1, 32));
    const Batch batch = i % 4 == 0 ? burst_batch(64, 8192, i)
                                   : flashcp::wlb_like_pack(random.between(1, 300000), i);
    const Problem problem = layer_problem(batch, i % 4 == 0 ? 64 : ranks);
    const Loads loads = loads_of(problem);
    const Cost cost(problem, {.model = CostModel::calibrated});
    Limits limits{.ranks = problem.ranks(),
                  .tokens_per_rank = default_tokens_per_rank(batch.tokens(), problem.ranks()),
                  .max_degree = problem.ranks(),
                  .leftover = Leftover::slowest,
                  .static_bins = true};
    if (i % 3 == 0) {  // memory for several micro-batches only
      const int64_t longest = loads[longest_first(loads)[0]].tokens;
      limits.tokens_per_rank =
          std::max(longest / limits.ranks + 1, limits.tokens_per_rank / random.between(2, 6));
    }
    const Solution solution = solve(loads, limits, cost);
    expect_sound(solution, loads, limits);
    double best = -1;
    for (int32_t degree = 1; degree <= limits.ranks; ++degree) {
      try {
        const Solution fixed = solve_static(loads, limits, degree, cost);
        expect_sound(fixed, loads, limits);
        if (best < 0 || fixed.seconds < best) best = fixed.seconds;
      } catch (const Unsupported&) {
      }
    }
    EXPECT_EQ(solution.best_static_seconds, best);
    EXPECT_LE(solution.seconds, best) << i;
    faster += solution.seconds < best;
  }
  EXPECT_GT(faster, 50);
}

TEST(FlexcpSolver, DefaultRoomIsOneMicroBatch) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Problem problem = layer_problem(flashcp::pile_like_pack(1 << 17, seed), 16);
    const Loads loads = loads_of(problem);
    const Limits limits{16, default_tokens_per_rank(1 << 17, 16)};
    EXPECT_EQ(solve(loads, limits, Cost(problem)).micro_batches.size(), 1u);
  }
}

TEST(FlexcpSolver, LittleMemoryMeansMoreMicroBatches) {
  // Three sequences of 6 with 4 tokens a rank need two ranks each, and there are four ranks.
  const Problem problem = layer_problem({.document_lengths = {6, 6, 6}}, 4);
  const Solution solution = solve(loads_of(problem), {4, 4}, Cost(problem));
  EXPECT_EQ(solution.micro_batches.size(), 2u);
}

TEST(FlexcpSolver, DegreesNeedNotBePowersOfTwo) {
  const Problem problem =
      layer_problem({.document_lengths = {300000, 20000, 20000, 20000, 20000}}, 15);  // one node
  const Limits limits{15, default_tokens_per_rank(380000, 15)};
  const Solution solution = solve(loads_of(problem), limits, Cost(problem));
  std::set<int32_t> degrees;
  for (const Bin& bin : solution.micro_batches[0]) {
    degrees.insert(bin.degree);
  }
  EXPECT_TRUE(
      std::any_of(degrees.begin(), degrees.end(), [](int32_t d) { return (d & (d - 1)) != 0; }));
}

TEST(FlexcpSolver, RefusalsNameTheNumbers) {
  const Problem problem = layer_problem({.document_lengths = {100, 7}}, 4);
  const Cost cost(problem);
  EXPECT_EQ(error_of<Unsupported>([&] { solve(loads_of(problem), {4, 10}, cost); }),
            "a sequence of 100 tokens needs 10 ranks of 10 tokens, the cluster has 4; "
            "tokens_per_rank=25 would do");
  EXPECT_EQ(error_of<Unsupported>([&] { solve_static(loads_of(problem), {4, 25}, 2, cost); }),
            "a sequence of 100 tokens needs 4 ranks of 25 tokens, a group has 2; "
            "tokens_per_rank=50 would do");
  EXPECT_EQ(error_of<Unsupported>([&] { solve_static(loads_of(problem), {4, 25}, 3, cost); }),
            "groups of degree=3 do not divide 4 ranks");
}

}  // namespace
}  // namespace cpbench::flexcp
