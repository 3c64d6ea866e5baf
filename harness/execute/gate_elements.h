// The gate of an FFN (layer.h), element by element: the same on a CPU and on a GPU.
#pragma once

#include <cmath>

namespace cpbench {

// Computed in type Sum: double or float.
template <typename T, typename Sum>
constexpr T gated(T a, T b) {
  const auto x = static_cast<Sum>(a);
  return static_cast<T>(x / (1 + std::exp(-x)) * static_cast<Sum>(b));
}

// Replaces a and b by their gradients, from the gradient of gated(a, b).
template <typename T, typename Sum>
constexpr void replace_by_gradients(T& a, T& b, T gradient) {
  const auto x = static_cast<Sum>(a), y = static_cast<Sum>(b), d = static_cast<Sum>(gradient);
  const Sum sigmoid = 1 / (1 + std::exp(-x));
  a = static_cast<T>(d * y * sigmoid * (1 + x * (1 - sigmoid)));
  b = static_cast<T>(d * x * sigmoid);
}

}  // namespace cpbench
