// Every strategy of the registry x masks x heads x ranks x adversarial batches, in float64, and
// spot checks of the other dtypes and of determinism. What a strategy cannot do is listed.
#include <gtest/gtest.h>

#include <set>

#include "harness/plan/names.h"
#include "harness/strategy/strategy.h"
#include "tests/numerics/batches.h"
#include "tests/numerics/run_plan.h"

namespace cpbench {
namespace {

class Strategies : public testing::TestWithParam<const Strategy*> {
 protected:
  // The trouble, or "" after noting why the strategy cannot do the problem.
  std::string trouble(const Problem& problem, const ExecuteOptions& options) {
    const Strategy& strategy = *GetParam();
    try {
      const Plan plan = strategy.plan(problem, Options(strategy.name, strategy.options, {}));
      ++done_;
      return trouble_with(problem, plan, options);
    } catch (const Unsupported& reason) {
      unsupported_.insert(reason.what());
      return "";
    }
  }

  void TearDown() override {
    for (const std::string& reason : unsupported_) {
      std::cout << GetParam()->name << " skipped: " << reason << "\n";
    }
    if (done_ == 0 && !HasFailure()) GTEST_SKIP() << *unsupported_.begin();
  }

 private:
  int done_ = 0;
  std::set<std::string> unsupported_;
};

TEST_P(Strategies, compute_what_one_device_computes) {
  for (const NamedLengths& batch : adversarial_lengths()) {
    for (Mask mask : all_masks()) {
      for (const AttentionShape& shape : small_shapes(Dtype::float64)) {
        for (int32_t ranks : {1, 2, 3, 4, 8}) {
          const Problem problem = make_problem(batch.lengths, ranks, mask, shape);
          EXPECT_EQ(trouble(problem, {.warmup = 0, .iterations = 1}), "")
              << batch.name << ", " << name_of(mask) << ", " << shape.kv_heads << " KV heads, "
              << ranks << " ranks";
        }
      }
    }
  }
}

TEST_P(Strategies, cached_tokens_have_no_query) {
  for (const NamedCached& batch : cached_batches()) {
    for (Mask mask : all_masks()) {
      for (const AttentionShape& shape : small_shapes(Dtype::float64)) {
        for (int32_t ranks : {1, 2, 3, 8}) {
          Problem problem = make_problem(batch.lengths, ranks, mask, shape);
          problem.batch.cached_tokens = batch.cached;
          EXPECT_EQ(trouble(problem, {.warmup = 0, .iterations = 1}), "")
              << batch.name << ", " << name_of(mask) << ", " << shape.kv_heads << " KV heads, "
              << ranks << " ranks";
          EXPECT_EQ(trouble(problem, {.passes = Passes::forward, .warmup = 0, .iterations = 1}), "")
              << batch.name << ", " << name_of(mask) << ", forward alone, " << ranks << " ranks";
        }
      }
    }
  }
}

TEST_P(Strategies, forward_alone) {
  const Problem problem = make_problem({7, 1, 13, 2, 29, 11}, 4);
  const ExecuteOptions options{.passes = Passes::forward, .warmup = 0, .iterations = 1};
  EXPECT_EQ(trouble(problem, options), "");
}

TEST_P(Strategies, other_dtypes_are_within_their_tolerance) {
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    const AttentionShape shape{
        .query_heads = 4, .kv_heads = 2, .head_dim = 32, .value_head_dim = 32, .dtype = dtype};
    const Problem problem = make_problem({37, 150, 1, 68}, 4, Mask::document_causal, shape);
    EXPECT_EQ(trouble(problem, {.warmup = 0, .iterations = 1}), "") << name_of(dtype);
  }
}

TEST_P(Strategies, the_plain_kernel_agrees) {
  const Problem problem = make_problem({7, 1, 13, 2, 29, 11}, 4);
  EXPECT_EQ(trouble(problem, {.kernel = "reference", .warmup = 0, .iterations = 1}), "");
}

INSTANTIATE_TEST_SUITE_P(, Strategies, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench
