#include "harness/cost/least_squares.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace cpbench {
namespace {

using Matrix = std::vector<std::vector<double>>;

double squared_error(const Matrix& a, const std::vector<double>& b, const std::vector<double>& x) {
  double sum = 0;
  for (size_t r = 0; r < a.size(); ++r) {
    double error = -b[r];
    for (size_t i = 0; i < x.size(); ++i) error += a[r][i] * x[i];
    sum += error * error;
  }
  return sum;
}

TEST(LeastSquares, FindsTheExactAnswerWhereItIsPositive) {
  const Matrix a = {{1, 1, 4}, {1, 2, 1}, {1, 3, 0}, {1, 4, 7}};
  std::vector<double> b;
  for (const auto& row : a) b.push_back(3 * row[0] + 0.5 * row[1] + 1e-3 * row[2]);
  const std::vector<double> x = non_negative_least_squares(a, b);
  EXPECT_NEAR(x[0], 3, 1e-9);
  EXPECT_NEAR(x[1], 0.5, 1e-9);
  EXPECT_NEAR(x[2], 1e-3, 1e-9);
}

// Least squares without the bound: {-1, 2}. With x0 = 0: sum(t b) / sum(t t) = 22 / 14.
TEST(LeastSquares, KeepsToZeroWhatWouldBeNegative) {
  const std::vector<double> x = non_negative_least_squares({{1, 1}, {1, 2}, {1, 3}}, {1, 3, 5});
  EXPECT_EQ(x[0], 0);
  EXPECT_NEAR(x[1], 22.0 / 14, 1e-12);
}

TEST(LeastSquares, ColumnsMayBeEqualOrZero) {
  const Matrix a = {{1, 2, 0, 1}, {1, 4, 0, 2}, {1, 8, 0, 4}};  // the last is half the second
  const std::vector<double> x = non_negative_least_squares(a, {5, 9, 17});
  EXPECT_NEAR(x[0], 1, 1e-9);
  EXPECT_NEAR(x[1], 2, 1e-9);
  EXPECT_EQ(x[2], 0);
  EXPECT_EQ(x[3], 0);
}

TEST(LeastSquares, NothingToFit) {
  EXPECT_TRUE(non_negative_least_squares({}, {}).empty());
  EXPECT_EQ(non_negative_least_squares({{1}, {2}}, {-1, -1}), std::vector<double>{0});
}

// The conditions of Karush, Kuhn and Tucker, which hold at the minimum alone: the gradient is 0
// where x > 0, and points outwards where x = 0.
TEST(LeastSquares, IsTheMinimumOnRandomProblems) {
  std::mt19937_64 random(3);
  const auto draw = [&] { return static_cast<double>(random() % 2001) / 1000 - 1; };
  for (int i = 0; i < 500; ++i) {
    const size_t n = 1 + random() % 7;
    Matrix a(n + random() % 20, std::vector<double>(n));
    std::vector<double> b(a.size());
    for (size_t r = 0; r < a.size(); ++r) {
      for (double& value : a[r]) value = draw();
      b[r] = draw();
    }
    const std::vector<double> x = non_negative_least_squares(a, b);
    const double least = squared_error(a, b, x);
    for (size_t k = 0; k < n; ++k) {
      ASSERT_GE(x[k], 0);
      double slope = 0, square = 0;
      for (size_t r = 0; r < a.size(); ++r) {
        double error = -b[r];
        for (size_t j = 0; j < n; ++j) error += a[r][j] * x[j];
        slope += a[r][k] * error;
        square += a[r][k] * a[r][k];
      }
      ASSERT_GE(slope, -1e-6) << "a larger x" << k << " were better";
      if (x[k] > 0) {
        ASSERT_LE(slope, 1e-6) << "a smaller x" << k << " were better";
      }
    }
    ASSERT_LE(least, squared_error(a, b, std::vector<double>(n)) + 1e-12);
  }
}

}  // namespace
}  // namespace cpbench
