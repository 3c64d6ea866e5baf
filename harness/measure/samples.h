// Statistics of timed iterations, as pure functions.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "harness/timeline/timeline.h"

namespace cpbench {

// Per iteration the maximum over ranks of a matrix [iterations, ranks].
std::vector<double> slowest_rank(const std::vector<double>& matrix, int32_t ranks);

// Those that `flags` marks with 1; all of them if it marks none, or is empty.
std::vector<double> accepted(const std::vector<double>& samples, const std::vector<uint8_t>& flags);

double median(std::vector<double> samples);  // not empty

// Interval that holds the median of the underlying distribution with at least 95% probability,
// from order statistics: no assumption on the distribution. Needs 6 samples; else nullopt.
std::optional<std::pair<double, double>> median_interval(std::vector<double> samples);

}  // namespace cpbench
