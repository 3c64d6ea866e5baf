// The median of timed samples.
#pragma once

#include <algorithm>
#include <vector>

namespace cpbench {

// Requires at least one sample. Of an even number it is the larger of the middle two, so that it is
// a time that was measured. (Metrics of iterations use harness/measure/samples.h.)
inline double median_of(std::vector<double> samples) {
  const auto middle = samples.begin() + std::ssize(samples) / 2;
  std::ranges::nth_element(samples, middle);
  return *middle;
}

}  // namespace cpbench
