#include "baselines/flexsp/heuristic.h"

#include <gtest/gtest.h>

#include <set>

#include "methods/flexcp/test_batches.h"

namespace cpbench::flexsp {
namespace {

using flexcp::Random;

TEST(FlexspHeuristic, GroupsKeepTheLimits) {
  Random random(13);
  int placed = 0;
  for (int i = 0; i < 400; ++i) {
    const Problem problem = flexcp::layer_problem(flashcp::random_batch(random, 40, 5000), 16);
    const Loads loads = flexcp::loads_of(problem);
    const GroupCost cost(problem);
    Limits limits{static_cast<int32_t>(random.between(2, 16)), 0, {}};
    limits.capacity = random.between(1, 3) * problem.tokens() / limits.ranks + 1;
    for (int32_t size = 2; size <= limits.ranks; size *= 2) limits.sizes.push_back(size);
    const auto groups = group_by_heuristic(loads, longest_first(loads), limits, cost);
    if (!groups) continue;
    ++placed;
    std::set<int32_t> seen;
    int32_t used = 0;
    for (const SizedGroup& group : *groups) {
      used += group.size;
      int64_t tokens = 0;
      for (int32_t s : group.sequences) {
        EXPECT_TRUE(seen.insert(s).second);
        tokens += loads[s].tokens;
      }
      EXPECT_EQ(tokens, group.load.tokens);
      EXPECT_LE(tokens, limits.capacity * group.size);
      EXPECT_EQ(std::count(limits.sizes.begin(), limits.sizes.end(), group.size), 1);
    }
    EXPECT_EQ(seen.size(), loads.size());
    EXPECT_LE(used, limits.ranks);
  }
  EXPECT_GT(placed, 200);
}

TEST(FlexspHeuristic, NothingWhereCapacityDoesNotSuffice) {
  const Problem problem = flexcp::layer_problem({.document_lengths = {10, 10, 10}}, 4);
  const Loads loads = flexcp::loads_of(problem);
  EXPECT_FALSE(group_by_heuristic(loads, {0, 1, 2}, {4, 7, {2, 4}}, GroupCost(problem)));
  EXPECT_TRUE(group_by_heuristic(loads, {0, 1, 2}, {4, 10, {2, 4}}, GroupCost(problem)));
}

}  // namespace
}  // namespace cpbench::flexsp
