// The element types behind Dtype, without LibTorch: float64, float32, bfloat16. What is constexpr
// here runs on GPUs too.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "harness/plan/problem.h"

namespace cpbench {

// The upper half of a float32, rounded to nearest even.
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

// visit(T{}) with the type that stands for `dtype`.
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
