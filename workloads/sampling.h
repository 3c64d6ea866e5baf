// Inverse distribution functions that give the same doubles on every platform.
//
// They use only what IEEE 754 rounds exactly (+ - * / and sqrt) and what is exact by nature
// (frexp, ldexp, floor), in a fixed order and compiled without fused multiply-add; the logarithm
// and exponential of a math library differ in the last bit between libraries, which is enough to
// turn 4095 tokens into 4096.
//
//   power_law_quantile({.low = 64, .high = 127, .exponent = 0}, 0.5)  // 90, log-uniform
#pragma once

#include <cstdint>

namespace cpbench {

double stable_log(double x);  // natural, x > 0 and normal; relative error below 1e-14
double stable_exp(double x);  // |x| < 700; relative error below 1e-14

// The standard normal's quantile function, 0 < u < 1; relative error below 1.2e-9 (P. J. Acklam's
// rational approximation).
double normal_quantile(double u);

// Whole lengths low..high whose density falls as x^-(exponent+1): -1 uniform, 0 log-uniform,
// positive a Pareto tail cut at high.
struct PowerLaw {
  int64_t low = 1;   // >= 1
  int64_t high = 1;  // >= low
  double exponent = 0;
};
int64_t power_law_quantile(const PowerLaw& law, double u);  // 0 <= u < 1

}  // namespace cpbench
