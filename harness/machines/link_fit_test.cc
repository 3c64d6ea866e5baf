#include "harness/machines/link_fit.h"

#include <gtest/gtest.h>

#include <vector>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

std::vector<LinkSample> samples_of(const Link& link) {
  std::vector<LinkSample> samples;
  for (double bytes = 1 << 18; bytes <= 1 << 28; bytes *= 4) {
    samples.push_back({bytes, link.latency_seconds + bytes / link.bytes_per_second});
  }
  return samples;
}

TEST(LinkFit, finds_the_link_that_made_the_samples) {
  const LinkFit fit = fit_link(samples_of({20e-6, 300e9}));
  EXPECT_NEAR(fit.link.latency_seconds, 20e-6, 1e-9);
  EXPECT_NEAR(fit.link.bytes_per_second, 300e9, 1e6);
  EXPECT_LT(fit.worst_error, 1e-9);
}

TEST(LinkFit, short_transfers_count_as_much_as_long_ones) {
  std::vector<LinkSample> samples = samples_of({20e-6, 300e9});
  samples.back().seconds *= 1.1;
  const LinkFit fit = fit_link(samples);
  EXPECT_NEAR(fit.link.latency_seconds, 20e-6, 1e-6);
  EXPECT_GT(fit.worst_error, 0.04);
  EXPECT_LT(fit.worst_error, 0.1);
  EXPECT_LT(fit.mean_error, fit.worst_error);
}

TEST(LinkFit, the_errors_are_those_of_transfers_that_were_left_out) {
  std::vector<LinkSample> samples = samples_of({20e-6, 300e9});
  samples.front().seconds = 60e-6;  // the fit without it predicts 20.9 us
  const LinkFit fit = fit_link(samples);
  EXPECT_NEAR(fit.worst_error, 1 - 20.874 / 60, 1e-3);
  EXPECT_GT(fit.mean_error, fit.worst_error / static_cast<double>(samples.size()));
}

TEST(LinkFit, a_latency_is_not_negative) {
  const LinkFit fit = fit_link(std::vector<LinkSample>{{1e6, 1e-6}, {2e6, 4e-6}, {4e6, 12e-6}});
  EXPECT_EQ(fit.link.latency_seconds, 0);
}

TEST(LinkFit, bad_too_few_samples) {
  EXPECT_THROW(fit_link(std::vector<LinkSample>{{1e6, 1e-6}, {2e6, 2e-6}}), UserError);
}

TEST(LinkFit, bad_times_that_do_not_grow) {
  EXPECT_THROW(fit_link(std::vector<LinkSample>{{1e6, 3e-6}, {2e6, 2e-6}, {4e6, 1e-6}}), UserError);
}

}  // namespace
}  // namespace cpbench
