#include "harness/cost/least_squares.h"

#include <algorithm>
#include <cmath>

namespace cpbench {
namespace {

using Matrix = std::vector<std::vector<double>>;

// For columns scaled to length 1: a gradient below this is rounding, and a column has no part of
// its own if less than this remains beyond what the columns before it explain.
constexpr double kTolerance = 1e-10;

// The columns of `a` scaled to length 1, as normal equations.
struct Normal {
  Matrix products;             // columns times columns
  std::vector<double> target;  // columns times b
  std::vector<double> scale;   // 1 / length; 0 for a column of zeros
};

Normal normal_equations(const Matrix& a, const std::vector<double>& b) {
  const size_t n = a.empty() ? 0 : a.front().size();
  Normal normal{Matrix(n, std::vector<double>(n)), std::vector<double>(n), std::vector<double>(n)};
  for (size_t r = 0; r < a.size(); ++r) {
    for (size_t i = 0; i < n; ++i) {
      normal.target[i] += a[r][i] * b[r];
      for (size_t j = 0; j < n; ++j) normal.products[i][j] += a[r][i] * a[r][j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    const double square = normal.products[i][i];
    normal.scale[i] = square > 0 ? 1 / std::sqrt(square) : 0;
  }
  for (size_t i = 0; i < n; ++i) {
    normal.target[i] *= normal.scale[i];
    for (size_t j = 0; j < n; ++j) normal.products[i][j] *= normal.scale[i] * normal.scale[j];
  }
  return normal;
}

// The solution that uses only the columns `used`, by Cholesky's factorisation. Empty if the last of
// them is a combination of the others.
std::vector<double> solve(const Normal& normal, const std::vector<size_t>& used) {
  const size_t n = used.size();
  Matrix l(n, std::vector<double>(n));
  std::vector<double> x(n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = normal.products[used[i]][used[j]];
      for (size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i != j) {
        l[i][j] = sum / l[j][j];
      } else if (sum > kTolerance) {
        l[i][i] = std::sqrt(sum);
      } else {
        return {};
      }
    }
    x[i] = normal.target[used[i]];
    for (size_t k = 0; k < i; ++k) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
  return x;
}

}  // namespace

std::vector<double> non_negative_least_squares(const Matrix& a, const std::vector<double>& b) {
  const Normal normal = normal_equations(a, b);
  const size_t n = normal.target.size();
  std::vector<double> x(n);
  std::vector<size_t> used;
  std::vector<bool> open(n, true);  // may enter; a dependent column may not until one leaves
  for (size_t i = 0; i < n; ++i) open[i] = normal.scale[i] > 0;
  // Each round ends with a smaller error on another set of columns. Only rounding could repeat a
  // set.
  for (size_t round = 0; round < 100 * n; ++round) {
    // The column that lowers the error most.
    size_t enter = n;
    double steepest = kTolerance;
    for (size_t i = 0; i < n; ++i) {
      if (!open[i]) continue;
      double gradient = normal.target[i];
      for (size_t k = 0; k < n; ++k) gradient -= normal.products[i][k] * x[k];
      if (gradient > steepest * (1 + 1e-9)) steepest = gradient, enter = i;
    }
    if (enter == n) break;
    open[enter] = false;
    used.push_back(enter);
    std::vector<double> y = solve(normal, used);
    if (y.empty() || y.back() <= 0) {
      used.pop_back();
      continue;
    }
    // Go towards the new solution, and drop the columns that reach 0 on the way.
    while (*std::min_element(y.begin(), y.end()) <= 0) {
      double step = 1;
      for (size_t i = 0; i < used.size(); ++i) {
        if (y[i] <= 0) step = std::min(step, x[used[i]] / (x[used[i]] - y[i]));
      }
      std::vector<size_t> kept;
      for (size_t i = 0; i < used.size(); ++i) {
        double& value = x[used[i]];
        value += step * (y[i] - value);
        if (value > kTolerance * kTolerance || (y[i] > 0 && used[i] == enter)) {
          kept.push_back(used[i]);
        } else {
          value = 0;
        }
      }
      used = kept;
      y = solve(normal, used);
    }
    for (size_t i = 0; i < used.size(); ++i) x[used[i]] = y[i];
    for (size_t i = 0; i < n; ++i) {
      open[i] = normal.scale[i] > 0 && std::find(used.begin(), used.end(), i) == used.end();
    }
  }
  for (size_t i = 0; i < n; ++i) x[i] *= normal.scale[i];
  return x;
}

}  // namespace cpbench
