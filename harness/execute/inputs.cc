// Uniform on [-sqrt 3, sqrt 3): unit variance, and no library's distribution is involved.
#include "harness/execute/inputs.h"

#include "harness/execute/element.h"

namespace cpbench {
namespace {

// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

void fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed) {
  constexpr double kHalfWidth = 1.7320508075688772;  // sqrt(3)
  constexpr double kUnit = 0x1p-52;                  // of 53 bits: [0, 2)
  with_element(matrix.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t token = tokens.begin; token < tokens.end; ++token, ++row) {
      for (int32_t head = 0; head < matrix.heads; ++head) {
        const uint64_t stream =
            mixed(mixed(mixed(seed * 4 + static_cast<uint64_t>(input)) + token) + head);
        T* out = matrix.at<T>(row, head);
        for (int64_t d = 0; d < matrix.width; ++d) {
          const double unit = static_cast<double>(mixed(stream + d) >> 11) * kUnit;
          out[d] = static_cast<T>((unit - 1) * kHalfWidth);
        }
      }
    }
  });
}

}  // namespace cpbench
