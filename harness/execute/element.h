// The element types of Dtype without LibTorch: float64, float32, bfloat16. The constexpr functions
// also run on GPUs.
//
//   with_element(dtype, [&](auto zero) { using T = decltype(zero); fill(matrix.at<T>(0, 0)); });
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "harness/plan/problem.h"

namespace cpbench {

// A bfloat16 is the upper half of a float32. Conversion rounds to nearest even.
struct BFloat16 {
  uint16_t bits = 0;
  constexpr BFloat16() = default;
  constexpr explicit BFloat16(float value) {
    const auto word = std::bit_cast<uint32_t>(value);
    const bool nan = (word & 0x7fffffffu) > 0x7f800000u;
    bits = static_cast<uint16_t>(nan ? 0x7fc0u : (word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
  }
  constexpr explicit BFloat16(double value) : BFloat16(static_cast<float>(value)) {}
  constexpr operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

// Calls visit(T{}) with the element type T of `dtype`.
template <typename Visit>
void with_element(Dtype dtype, const Visit& visit) {
  switch (dtype) {
    case Dtype::float64:
      return visit(double{});
    case Dtype::float32:
      return visit(float{});
    case Dtype::bfloat16:
      return visit(BFloat16{});
  }
}

}  // namespace cpbench
