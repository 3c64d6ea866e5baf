// Inverse distribution functions that give the same doubles on every platform.
//
// They use only operations that IEEE 754 rounds exactly (+ - * / and sqrt) and functions that are
// always exact (frexp, ldexp, floor), in a fixed order, and are compiled without fused
// multiply-add. Logarithms and exponentials of math libraries differ in the last bit, which can
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

// Whole lengths in low..high with a density proportional to x^-(exponent+1). The exponent -1 is
// uniform, 0 is log-uniform, and a positive one is a Pareto tail that ends at high.
struct PowerLaw {
  int64_t low = 1;   // >= 1
  int64_t high = 1;  // >= low
  double exponent = 0;
};
int64_t power_law_quantile(const PowerLaw& law, double u);  // 0 <= u < 1

}  // namespace cpbench
