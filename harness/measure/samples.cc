#include "harness/measure/samples.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cpbench {

std::vector<double> slowest_rank(const std::vector<double>& matrix, int32_t ranks) {
  std::vector<double> slowest;
  for (size_t i = 0; i + ranks <= matrix.size(); i += ranks) {
    slowest.push_back(*std::max_element(matrix.begin() + i, matrix.begin() + i + ranks));
  }
  return slowest;
}

std::vector<double> accepted(const std::vector<double>& samples,
                             const std::vector<uint8_t>& flags) {
  std::vector<double> kept;
  for (size_t i = 0; i < samples.size() && i < flags.size(); ++i) {
    if (flags[i]) kept.push_back(samples[i]);
  }
  return kept.empty() ? samples : kept;
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const size_t middle = samples.size() / 2;
  if (samples.size() % 2 == 1) return samples[middle];
  return (samples[middle - 1] + samples[middle]) / 2;
}

// The number of samples below the median has the distribution binomial(n, 1/2). The interval
// [x_k, x_(n+1-k)] misses the median with probability 2 P(fewer than k samples are below it). This
// takes the largest k for which that is at most 5%.
std::optional<std::pair<double, double>> median_interval(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto n = static_cast<int64_t>(samples.size());
  double probability = std::pow(0.5, static_cast<double>(n));  // that no sample is below
  double below = 0;
  int64_t k = 0;
  while (k < n && 2 * (below + probability) <= 0.05) {
    below += probability;
    ++k;
    probability *= static_cast<double>(n - k + 1) / static_cast<double>(k);
  }
  if (k == 0) return std::nullopt;
  return std::pair{samples[k - 1], samples[n - k]};
}

}  // namespace cpbench
