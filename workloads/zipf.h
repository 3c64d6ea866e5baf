// The discrete power law, exactly: a table of its distribution function.
//
//   ZipfTable(1, 131072, 1.5).quantile(0.5)
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench {

class ZipfTable {
 public:
  // Probability of low..high proportional to length^-exponent. UserError over 16M lengths (128 MB);
  // a Pareto tail serves there.
  ZipfTable(int64_t low, int64_t high, double exponent);
  int64_t quantile(double u) const;  // 0 <= u < 1

 private:
  int64_t low_;
  std::vector<double> sums_;  // of the weights up to each length, summed upwards
};

}  // namespace cpbench
