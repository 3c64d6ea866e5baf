// Synthetic series with known answers, and the rates at which they are found.
#include "harness/measure/change_points.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace cpbench {
namespace {

// Normal noise by Box and Muller, which is the same with every standard library.
class Noise {
 public:
  explicit Noise(uint64_t seed) : random_(seed) {}
  double operator()() {
    const double u = (static_cast<double>(random_() >> 11) + 0.5) / 9007199254740992.0;
    const double v = static_cast<double>(random_() >> 11) / 9007199254740992.0;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * 3.14159265358979323846 * v);
  }

 private:
  std::mt19937_64 random_;
};

// 40 values around 1 with 1% of noise; from `at` on they are larger by `step`.
std::vector<double> series(uint64_t seed, size_t at = 40, double step = 0) {
  Noise noise(seed);
  std::vector<double> values;
  for (size_t i = 0; i < 40; ++i) values.push_back((i < at ? 1 : 1 + step) * (1 + 0.01 * noise()));
  return values;
}

constexpr int kSeries = 100;

TEST(ChangePoints, noise_is_called_a_change_in_at_most_3_of_100_series) {
  int called = 0;
  for (int seed = 0; seed < kSeries; ++seed) called += change_points(series(seed)).empty() ? 0 : 1;
  EXPECT_LE(called, 3);
}

TEST(ChangePoints, a_step_of_3_percent_is_found_within_one_place_in_at_least_95_of_100_series) {
  int found = 0, exactly = 0, once = 0;
  for (int seed = 0; seed < kSeries; ++seed) {
    const std::vector<ChangePoint> points = change_points(series(seed, 25, 0.03));
    for (const ChangePoint& point : points) {
      if (point.at < 24 || point.at > 26) continue;
      ++found;
      exactly += point.at == 25 ? 1 : 0;
      EXPECT_NEAR(point.after / point.before, 1.03, 0.015);
    }
    once += points.size() == 1 ? 1 : 0;
  }
  EXPECT_GE(found, 95);
  EXPECT_GE(exactly, 80);
  EXPECT_GE(once, 90);
}

TEST(ChangePoints, a_single_outlier_is_no_change) {
  int called = 0;
  for (int seed = 0; seed < kSeries; ++seed) {
    std::vector<double> values = series(seed);
    values[20] = 1.5;
    called += change_points(values).empty() ? 0 : 1;
  }
  EXPECT_LE(called, 3);
}

TEST(ChangePoints, up_and_down_again_are_two) {
  std::vector<double> values = series(7, 15, 0.05);
  const std::vector<double> after = series(8);
  values.insert(values.end(), after.begin(), after.begin() + 20);
  const std::vector<ChangePoint> points = change_points(values);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].at, 15u);
  EXPECT_EQ(points[1].at, 40u);
  EXPECT_EQ(points[0].after, points[1].before);
  EXPECT_LT(points[0].p_value, 0.01);
}

TEST(ChangePoints, short_and_constant_series_have_none) {
  EXPECT_TRUE(change_points({}).empty());
  EXPECT_TRUE(change_points({1, 1, 1, 9, 9, 9, 9}).empty());  // three on one side
  EXPECT_TRUE(change_points(std::vector<double>(30, 2.0)).empty());
}

}  // namespace
}  // namespace cpbench
