#include "harness/measure/change_points.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

namespace cpbench {
namespace {

constexpr size_t kFewest = 4;  // values on each side
constexpr int kPermutations = 399;
constexpr double kSignificance = 0.01;

struct Split {
  size_t at = 0;
  double divergence = -1;
};

// The split with the largest energy distance between its sides. Moving a value from the right to
// the left updates the three sums of distances, so all splits take n^2 steps.
Split best_split(std::span<const double> values) {
  const size_t n = values.size();
  double left = 0, right = 0, across = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j) right += std::abs(values[i] - values[j]);
  }
  Split best;
  for (size_t m = 1; m < n; ++m) {  // values on the left
    const double moved = values[m - 1];
    double to_left = 0, to_right = 0;
    for (size_t i = 0; i + 1 < m; ++i) to_left += std::abs(values[i] - moved);
    for (size_t j = m; j < n; ++j) to_right += std::abs(values[j] - moved);
    left += to_left;
    right -= to_right;
    across += to_right - to_left;
    if (m < kFewest || n - m < kFewest) continue;
    const auto a = static_cast<double>(m), b = static_cast<double>(n - m);
    const double energy =
        2 * across / (a * b) - left / (a * (a - 1) / 2) - right / (b * (b - 1) / 2);
    const double divergence = a * b / (a + b) * energy;
    if (divergence > best.divergence) best = {m, divergence};
  }
  return best;
}

// Share of permutations that have as good a split, counting the series itself.
double p_value_of(std::span<const double> values, const Split& split) {
  std::mt19937_64 random(values.size());
  std::vector<double> shuffled(values.begin(), values.end());
  int as_good = 1;
  for (int i = 0; i < kPermutations; ++i) {
    for (size_t last = shuffled.size() - 1; last > 0; --last) {
      std::swap(shuffled[last], shuffled[random() % (last + 1)]);
    }
    if (best_split(shuffled).divergence >= split.divergence) ++as_good;
  }
  return static_cast<double>(as_good) / (kPermutations + 1);
}

void find(std::span<const double> values, size_t offset, std::vector<ChangePoint>& found) {
  if (values.size() < 2 * kFewest) return;
  const Split split = best_split(values);
  const double p_value = p_value_of(values, split);
  if (p_value >= kSignificance) return;
  find(values.first(split.at), offset, found);
  found.push_back({offset + split.at, 0, 0, p_value});
  find(values.subspan(split.at), offset + split.at, found);
}

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const size_t n = sorted.size();
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

}  // namespace

std::vector<ChangePoint> change_points(const std::vector<double>& values) {
  std::vector<ChangePoint> found;
  find(values, 0, found);
  const std::span<const double> all(values);
  for (size_t i = 0; i < found.size(); ++i) {
    const size_t begin = i == 0 ? 0 : found[i - 1].at;
    const size_t end = i + 1 == found.size() ? values.size() : found[i + 1].at;
    found[i].before = median(all.subspan(begin, found[i].at - begin));
    found[i].after = median(all.subspan(found[i].at, end - found[i].at));
  }
  return found;
}

}  // namespace cpbench
