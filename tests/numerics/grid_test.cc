// Head x context grids with options that differ from their defaults: every head group and inner
// ring that fits 8 ranks, both placements, in float64.
#include <gtest/gtest.h>

#include "harness/strategy/test_plans.h"
#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

std::string trouble(const std::string& strategy, const Settings& set) {
  const AttentionShape shape{
      .query_heads = 8, .kv_heads = 4, .head_dim = 8, .value_head_dim = 8, .dtype = Dtype::float64};
  const Problem problem = problem_of({37, 5, 90, 1, 68}, {2, 4}, shape);
  return trouble_with(problem, plan_of(strategy, problem, set));
}

TEST(Grids, every_ulysses_degree_computes_what_one_device_computes) {
  for (const char* degree : {"1", "2", "4", "8"}) {
    EXPECT_EQ(trouble("usp", {{"ulysses_degree", degree}}), "") << degree;
  }
}

TEST(Grids, every_ring_of_rings_computes_what_one_device_computes) {
  for (int32_t head_size : {1, 2, 4}) {
    for (int32_t window = 1; window <= 8 / head_size; window *= 2) {
      for (const char* placement : {"head_first", "context_first"}) {
        EXPECT_EQ(trouble("loongtrain", {{"head_size", std::to_string(head_size)},
                                         {"window_size", std::to_string(window)},
                                         {"placement", placement}}),
                  "")
            << head_size << " " << window << " " << placement;
      }
    }
  }
}

}  // namespace
}  // namespace cpbench
