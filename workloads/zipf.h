// The exact discrete power law, as a table of its distribution function.
//
//   ZipfTable(1, 131072, 1.5).quantile(0.5)
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench {

class ZipfTable {
 public:
  // The probability of a length in low..high is proportional to length^-exponent. Throws UserError
  // for more than 16M lengths (128 MB), for which a Pareto tail is the alternative.
  ZipfTable(int64_t low, int64_t high, double exponent);
  int64_t quantile(double u) const;  // 0 <= u < 1

 private:
  int64_t low_;
  std::vector<double> sums_;  // of the weights up to each length
};

}  // namespace cpbench
