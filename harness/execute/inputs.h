// Q, K, V and dO of a pack. Their values depend only on (seed, token, head, element), so all ranks
// and all strategies see the same tensors.
//
//   fill_input(matrix, Input::q, {0, tokens}, 0, seed);
#pragma once

#include <cstdint>

#include "harness/execute/kernel.h"

namespace cpbench {

enum class Input : uint8_t { q, k, v, d_o };

// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
constexpr uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The values of one token and head: element d is input_value(stream, d), both on a CPU and on a
// GPU.
constexpr uint64_t input_stream(Input input, int64_t token, int64_t head, uint64_t seed) {
  return mixed(mixed(mixed(seed * 4 + static_cast<uint64_t>(input)) + token) + head);
}

// Uniform on [-sqrt 3, sqrt 3), which has unit variance. No library's distribution is used, because
// they differ between implementations.
constexpr double input_value(uint64_t stream, int64_t d) {
  constexpr double kHalfWidth = 1.7320508075688772;  // sqrt(3)
  constexpr double kUnit = 0x1p-52;                  // of 53 bits: [0, 2)
  const double unit = static_cast<double>(mixed(stream + d) >> 11) * kUnit;
  return (unit - 1) * kHalfWidth;
}

// Fills rows [row, row + tokens.size()) of `matrix`, whose first head must be head 0 of the tensor.
void fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed);

}  // namespace cpbench
