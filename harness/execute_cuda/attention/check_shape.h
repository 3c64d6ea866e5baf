// Checks what the attention libraries support before they are called. All functions throw UserError
// with the kernel's name, what it requires, and a kernel that supports the shape.
//
//   check_flash_shape(shape, 90);
//   // kernel 'flash' requires dtype bfloat16, not float32; kernel 'reference' supports it
#pragma once

#include <cstdint>

#include "harness/plan/problem.h"

namespace cpbench {

// `capability` is 80 for Ampere, 90 for Hopper, 100 for Blackwell.
void check_flash_shape(const AttentionShape& shape, int32_t capability);
void check_flash3_shape(const AttentionShape& shape, int32_t capability);
void check_cudnn_shape(const AttentionShape& shape, int32_t capability);

// `version` is 91900 for cuDNN 9.19.0.
void check_cudnn_version(int64_t version);

}  // namespace cpbench
