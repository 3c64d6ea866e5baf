// Where a series of times changed: the E-divisive means of Matteson and James ("A Nonparametric
// Approach for Multiple Change Point Analysis of Multivariate Data", JASA 2014) with a permutation
// test. Daly et al. ("The Use of Change Point Detection to Identify Software Performance
// Regressions in a Continuous Integration System", ICPE 2020) use it for the same purpose.
//
//   change_points({1.00, 1.01, 0.99, 1.00, 1.03, 1.04, 1.03, 1.02})   // {{4, 1.00, 1.03, 0.01}}
#pragma once

#include <cstddef>
#include <vector>

namespace cpbench {

struct ChangePoint {
  size_t at = 0;      // index of the first value after the change
  double before = 0;  // median of the values since the change before it
  double after = 0;   // median of the values up to the next change
  double p_value = 1;
};

// In order. At least four values are on each side of a change. A change is one if fewer than 1% of
// the permutations of the values around it have as large a difference, so of series that are only
// noise about 1% have one. The same series gives the same answer.
std::vector<ChangePoint> change_points(const std::vector<double>& values);

}  // namespace cpbench
