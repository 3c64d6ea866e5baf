#include "workloads/sampling.h"

#include <algorithm>
#include <cmath>

namespace cpbench {
namespace {

// ln 2 in two parts, the first with trailing zeros, so that multiples of it are exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kSqrtHalf = 0.70710678118654752440;

// Highest degree first.
template <int kTerms>
double polynomial(const double (&coefficients)[kTerms], double x) {
  double sum = coefficients[0];
  for (int i = 1; i < kTerms; ++i) sum = sum * x + coefficients[i];
  return sum;
}

}  // namespace

double stable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < kSqrtHalf) {
    mantissa *= 2;
    --exponent;
  }
  // log m = 2 atanh(s), |s| <= 0.172: the terms fall by 0.03 each, thirteen reach 1e-20.
  double s = (mantissa - 1) / (mantissa + 1);
  double square = s * s;
  double sum = 0;
  for (int odd = 25; odd >= 1; odd -= 2) sum = sum * square + 1.0 / odd;
  return exponent * kLn2High + (2 * s * sum + exponent * kLn2Low);
}

double stable_exp(double x) {
  double multiple = std::floor(x / (kLn2High + kLn2Low) + 0.5);
  double rest = (x - multiple * kLn2High) - multiple * kLn2Low;
  // |rest| <= 0.35: the Taylor series to the 14th power reaches 1e-18.
  double sum = 1;
  for (int power = 14; power >= 1; --power) sum = 1 + rest / power * sum;
  return std::ldexp(sum, static_cast<int>(multiple));
}

double normal_quantile(double u) {
  static constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                                  -2.759285104469687e+02, 1.383577518672690e+02,
                                  -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                                  -1.556989798598866e+02, 6.680131188771972e+01,
                                  -1.328068155288572e+01, 1.0};
  static constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                                  -2.400758277161838e+00, -2.549732539343734e+00,
                                  4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01,
                                  2.445134137142996e+00, 3.754408661907416e+00, 1.0};
  constexpr double kTail = 0.02425;  // outside of it the approximation in sqrt(-2 log u) is used
  if (u > 1 - kTail) return -normal_quantile(1 - u);
  if (u < kTail) {
    double t = std::sqrt(-2 * stable_log(u));
    return polynomial(kC, t) / polynomial(kD, t);
  }
  double centred = u - 0.5;
  double square = centred * centred;
  return polynomial(kA, square) * centred / polynomial(kB, square);
}

int64_t power_law_quantile(const PowerLaw& law, double u) {
  double low = static_cast<double>(law.low);
  double end = static_cast<double>(law.high) + 1;
  double length = 0;
  if (law.exponent == -1) {
    length = low + u * (end - low);
  } else if (law.exponent == 0) {
    length = low * stable_exp(u * stable_log(end / low));
  } else {
    double kept = 1 - stable_exp(-law.exponent * stable_log(end / low));
    length = low * stable_exp(-stable_log(1 - u * kept) / law.exponent);
  }
  // The end is not part of the interval, but rounding may reach it.
  return std::clamp(static_cast<int64_t>(length), law.low, law.high);
}

}  // namespace cpbench
