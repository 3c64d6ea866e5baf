// Statistics of measured iterations, as pure functions.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "harness/timeline/timeline.h"

namespace cpbench {

// For each iteration the maximum over ranks in a matrix [iterations, ranks].
std::vector<double> slowest_rank(const std::vector<double>& matrix, int32_t ranks);

// The samples whose flag is 1; all samples if no flag is 1, or there are no flags.
std::vector<double> accepted(const std::vector<double>& samples, const std::vector<uint8_t>& flags);

double median(std::vector<double> samples);  // not empty

// The interval that contains the median of the underlying distribution with a probability of at
// least 95%, from order statistics, without assumptions about the distribution. Nullopt for fewer
// than 6 samples.
std::optional<std::pair<double, double>> median_interval(std::vector<double> samples);

}  // namespace cpbench
