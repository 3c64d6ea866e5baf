// Hand-made plans x masks x heads x ranks x adversarial batches, forward and backward, in float64.
#include "tests/numerics/hand_plans.h"

#include <gtest/gtest.h>

#include "harness/plan/names.h"
#include "tests/numerics/batches.h"
#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

class HandPlans : public testing::TestWithParam<HandPlan> {};

TEST_P(HandPlans, compute_what_one_device_computes) {
  for (const NamedLengths& batch : adversarial_lengths()) {
    for (Mask mask : all_masks()) {
      for (const AttentionShape& shape : small_shapes(Dtype::float64)) {
        for (int32_t ranks : {1, 2, 3, 8}) {
          const Problem problem = make_problem(batch.lengths, ranks, mask, shape);
          if (GetParam().needs_tokens_everywhere && problem.tokens() < 2 * ranks) continue;
          EXPECT_EQ(trouble_with(problem, GetParam().plan(problem)), "")
              << batch.name << ", " << name_of(mask) << ", " << shape.kv_heads << " KV heads, "
              << ranks << " ranks";
        }
      }
    }
  }
}

TEST_P(HandPlans, cached_tokens_have_no_query) {
  for (const NamedCached& batch : cached_batches()) {
    for (Mask mask : all_masks()) {
      for (int32_t ranks : {1, 3}) {
        Problem problem = make_problem(batch.lengths, ranks, mask);
        problem.batch.cached_tokens = batch.cached;
        EXPECT_EQ(trouble_with(problem, GetParam().plan(problem)), "")
            << batch.name << ", " << name_of(mask) << ", " << ranks << " ranks";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, HandPlans, testing::ValuesIn(hand_plans()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cpbench
