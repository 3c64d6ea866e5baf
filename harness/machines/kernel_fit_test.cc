#include "harness/cost/kernel_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/machines/kernel_models.h"
#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

// Calls of all kinds: short, long, many segments, one long segment next to many short ones, causal
// and full. None is so small that only its longest walk decides.
std::vector<KernelSample> samples_of(const KernelModel& model, KernelPass pass, double noise) {
  std::mt19937_64 random(4);
  const AttentionShape shape{.head_dim = 128, .value_head_dim = 128};
  std::vector<KernelSample> samples;
  for (int i = 0; i < 80; ++i) {
    KernelSample s;
    s.query_heads = 16 << i % 3;
    const auto q = static_cast<int64_t>(1 + random() % (i % 2 == 0 ? 200 : 9000));
    const auto before = static_cast<int64_t>(random() % 2000);
    s.segments.push_back({q, q + before, i % 3 != 0, 8 + static_cast<int64_t>(random() % 60)});
    if (i % 4 == 0) s.segments.push_back({16384, 16384, true});
    const double factor = 1 + noise * (static_cast<double>(random() % 2001) / 1000 - 1);
    s.seconds = kernel_seconds(model, pass, s.segments, shape, s.query_heads) * factor;
    samples.push_back(s);
  }
  return samples;
}

TEST(KernelFit, FindsTheConstantsThatMadeTheTimes) {
  const KernelModel& model = find_kernel("fa2_h100");
  const KernelFit fit =
      fit_kernel(samples_of(model, KernelPass::forward, 0), KernelPass::forward, 132);
  const KernelConstants& c = fit.constants;
  EXPECT_EQ(c.block_tokens, 64);
  EXPECT_NEAR(c.call_us, model.forward.call_us, 1e-3);
  EXPECT_NEAR(c.block_us, model.forward.block_us, 1e-4);
  EXPECT_NEAR(c.tile_us, model.forward.tile_us, 1e-3);
  EXPECT_NEAR(c.rows_us, model.forward.rows_us, 1e-3);
  EXPECT_NEAR(c.longest_us, model.forward.longest_us, 1e-3);
  EXPECT_NEAR(c.empty_block_us, model.forward.empty_block_us, 1e-3);
  EXPECT_TRUE(fit.empty_blocks);
  EXPECT_LT(c.worst_error, 1e-4);
}

TEST(KernelFit, FindsTheSlowdownOfLongCalls) {
  KernelModel model = find_kernel("cudnn_h200");
  model.forward.sustained_slowdown = 0.12;
  std::vector<KernelSample> samples = samples_of(model, KernelPass::forward, 0);
  ASSERT_TRUE(std::ranges::any_of(samples, [](const KernelSample& s) { return s.seconds > 0.02; }));
  const KernelFit fit = fit_kernel(samples, KernelPass::forward, 132);
  EXPECT_NEAR(fit.constants.sustained_slowdown, 0.12, 1e-9);
  EXPECT_NEAR(fit.constants.block_us, model.forward.block_us, 1e-4);
  EXPECT_LT(fit.constants.worst_error, 1e-4);
  // Without a call of 10 ms or more there is nothing to find it from.
  std::erase_if(samples, [](const KernelSample& s) { return s.seconds > 0.009; });
  EXPECT_EQ(fit_kernel(samples, KernelPass::forward, 132).constants.sustained_slowdown, 0);
}

TEST(KernelFit, FindsTheConstantsOfALibraryOnACpu) {
  KernelModel model;
  model.gpu.sms = 1;
  model.forward = {.segment_us = 5,
                   .tile_us = 0.3,
                   .rows_us = 2,
                   .block_us = 2.3,
                   .pairs_us = 32,
                   .tile_tokens = 64,
                   .block_tokens = 512,
                   .padded = false};
  const KernelFit fit =
      fit_kernel(samples_of(model, KernelPass::forward, 0), KernelPass::forward, 1,
                 {.tile_tokens = {32, 64, 256}, .block_tokens = {512, 64}, .padded = false});
  EXPECT_EQ(fit.constants.tile_tokens, 64);
  EXPECT_EQ(fit.constants.block_tokens, 512);
  EXPECT_FALSE(fit.constants.padded);
  EXPECT_NEAR(fit.constants.segment_us, 5, 1e-2);
  EXPECT_NEAR(fit.constants.pairs_us, 32, 1e-2);
  EXPECT_NEAR(fit.constants.block_us, 2.3, 1e-2);
  EXPECT_LT(fit.constants.worst_error, 1e-4);
}

TEST(KernelFit, StatesTheErrorOfCallsItDidNotSee) {
  const KernelModel& model = find_kernel("cudnn_h200");
  const KernelFit fit =
      fit_kernel(samples_of(model, KernelPass::backward, 0.1), KernelPass::backward, 132);
  EXPECT_NEAR(fit.fitted_mean_error, 0.05, 0.015);  // the mean of uniform noise up to 10%
  EXPECT_GT(fit.constants.mean_error, fit.fitted_mean_error);
  EXPECT_LT(fit.constants.mean_error, 0.08);
  EXPECT_GE(fit.constants.worst_error, fit.constants.mean_error);
  const auto sustained = [](const KernelConstants& c) {  // most calls are long
    return c.block_us * (1 + c.sustained_slowdown);
  };
  EXPECT_NEAR(sustained(fit.constants), sustained(model.backward), 0.1 * sustained(model.backward));
}

TEST(KernelFit, TooFewCallsAreRefused) {
  std::vector<KernelSample> samples = samples_of(find_kernel("cudnn_h200"), KernelPass::forward, 0);
  samples.resize(5);
  EXPECT_EQ(error_of([&] { fit_kernel(samples, KernelPass::forward, 132); }),
            "5 measured calls are too few for a fit: 6 or more");
}

}  // namespace
}  // namespace cpbench
