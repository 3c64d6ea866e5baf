// Compares the inverse distribution functions with the math library and with closed forms.
#include "workloads/sampling.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cpbench {
namespace {

TEST(SamplingTest, LogAndExpAgreeWithTheMathLibrary) {
  for (double x = 1e-12; x < 1e13; x *= 1.37) {
    double expected = std::log(x);
    EXPECT_NEAR(stable_log(x), expected, 1e-14 * std::max(1.0, std::fabs(expected))) << x;
  }
  EXPECT_EQ(stable_log(1), 0);
  for (double x = -40; x < 40; x += 0.37) {
    EXPECT_NEAR(stable_exp(x) / std::exp(x), 1, 1e-14) << x;
  }
  EXPECT_EQ(stable_exp(0), 1);
}

TEST(SamplingTest, NormalQuantileInvertsTheDistributionFunction) {
  for (double u : {1e-15, 1e-9, 1e-4, 0.02424, 0.02426, 0.1, 0.3, 0.5, 0.77, 0.97574, 0.97576,
                   0.9999, 1 - 1e-9}) {
    double x = normal_quantile(u);
    double back = 0.5 * std::erfc(-x / std::sqrt(2.0));
    // A relative error of 1.2e-9 in x changes u by that error times the density.
    EXPECT_NEAR(back / u, 1, 1e-6) << u;
    if (u > 1e-10) {  // below, 1 - u is too coarse
      EXPECT_NEAR(normal_quantile(1 - u), -x, 1e-5) << u;
    }
  }
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-8);
}

TEST(SamplingTest, PowerLawsHaveTheirClosedForms) {
  // Uniform: ten lengths with a probability of a tenth each.
  PowerLaw uniform{11, 20, -1};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(power_law_quantile(uniform, (i + 0.5) / 10), 11 + i);
  // Log-uniform over 64..127: the median is 64 sqrt(2).
  EXPECT_EQ(power_law_quantile({64, 127, 0}, 0.5), 90);
  // Pareto, exponent 1, over 1000..: cut at 10^6 the median is 1000 / (1 - 0.5 (1 - 0.001)).
  EXPECT_EQ(power_law_quantile({1000, 999999, 1}, 0.5), 1998);
}

TEST(SamplingTest, PowerLawsKeepTheirBounds) {
  for (double exponent : {-1.0, 0.0, 0.3, 1.0, 2.7, 20.0}) {
    PowerLaw wide{1, int64_t{1} << 31, exponent};
    EXPECT_EQ(power_law_quantile(wide, 0), 1);
    int64_t previous = 0;
    for (double u = 0; u < 1; u += 1.0 / 512) {
      int64_t length = power_law_quantile(wide, u);
      EXPECT_GE(length, previous);
      previous = length;
    }
    EXPECT_LE(power_law_quantile(wide, 1 - 0x1p-53), wide.high);
    EXPECT_EQ(power_law_quantile({5, 5, exponent}, 0.99), 5);
  }
}

}  // namespace
}  // namespace cpbench
