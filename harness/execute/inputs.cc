#include "harness/execute/inputs.h"

#include "harness/execute/element.h"

namespace cpbench {

void fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed) {
  with_element(matrix.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t token = tokens.begin; token < tokens.end; ++token, ++row) {
      for (int32_t head = 0; head < matrix.heads; ++head) {
        const uint64_t stream = input_stream(input, token, head, seed);
        T* out = matrix.at<T>(row, head);
        for (int64_t d = 0; d < matrix.width; ++d) {
          out[d] = static_cast<T>(input_value(stream, d));
        }
      }
    }
  });
}

}  // namespace cpbench
