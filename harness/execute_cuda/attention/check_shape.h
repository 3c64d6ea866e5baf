// What the libraries can do, before they are asked. All throw UserError with the kernel's name,
// what it needs and which kernel can.
#pragma once

#include <cstdint>

#include "harness/plan/problem.h"

namespace cpbench {

// `capability`: 80 is Ampere, 90 Hopper, 100 Blackwell.
void check_flash_shape(const AttentionShape& shape, int32_t capability);
void check_cudnn_shape(const AttentionShape& shape, int32_t capability);

// `version`: 91900 is cuDNN 9.19.0.
void check_cudnn_version(int64_t version);

}  // namespace cpbench
