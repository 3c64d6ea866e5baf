// Q, K, V and dO of a pack: functions of (seed, token, head) alone, whatever the ranks and sets.
#pragma once

#include <cstdint>

#include "harness/execute/kernel.h"

namespace cpbench {

enum class Input : uint8_t { q, k, v, d_o };

// Fills rows [row, row + tokens.size()) of `matrix`, whose first head is head 0 of the tensor.
void fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed);

}  // namespace cpbench
