#include "workloads/zipf.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "workloads/sampling.h"

namespace cpbench {
namespace {
constexpr int64_t kMostLengths = int64_t{1} << 24;
}  // namespace

ZipfTable::ZipfTable(int64_t low, int64_t high, double exponent) : low_(low) {
  if (high - low >= kMostLengths) {
    throw UserError(fmt::format("min={},max={} spans more than {} lengths; use pareto instead", low,
                                high, kMostLengths));
  }
  sums_.reserve(high - low + 1);
  double sum = 0;
  double log_low = stable_log(static_cast<double>(low));
  for (int64_t length = low; length <= high; ++length) {
    // Relative to the first weight, so that a steep law does not underflow immediately.
    sum += stable_exp(-exponent * (stable_log(static_cast<double>(length)) - log_low));
    sums_.push_back(sum);
  }
}

int64_t ZipfTable::quantile(double u) const {
  auto found = std::upper_bound(sums_.begin(), sums_.end(), u * sums_.back());
  int64_t index = std::min<int64_t>(found - sums_.begin(), sums_.size() - 1);
  return low_ + index;
}

}  // namespace cpbench
