// Least squares with non-negative coefficients (Lawson and Hanson, Solving Least Squares Problems,
// 1974, chapter 23), for the few coefficients of a cost model.
//
//   non_negative_least_squares({{1, 1}, {1, 2}, {1, 3}}, {1, 3, 5})   // {0, 1.571}, not {-1, 2}
#pragma once

#include <vector>

namespace cpbench {

// The x >= 0 that minimises |a x - b|. `a` is given by rows of equal length, as many as `b` has
// values. If the rows cannot tell two columns apart, the first of them gets the coefficient; a
// column of zeros gets 0.
std::vector<double> non_negative_least_squares(const std::vector<std::vector<double>>& a,
                                               const std::vector<double>& b);

}  // namespace cpbench
