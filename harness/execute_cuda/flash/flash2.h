// FlashAttention-2 as LibTorch's operators.
#pragma once

#include "harness/execute_cuda/flash/torch_tensors.h"

namespace cpbench {

struct Flash2 {
  static constexpr bool kReadsBeyond = false;
  static constexpr bool kAllocatesOutput = true;  // even where the call has memory for it

  // The bytes that the operators allocate.
  static int64_t memory_of(const FlashForwardInput& in);
  static int64_t memory_of(const FlashBackwardInput& in);

  FlashOutput forward(const FlashForwardInput& in, const TorchTensors& tensors,
                      HeldTensors& held) const;
  FlashGradients backward(const FlashBackwardInput& in, const TorchTensors& tensors,
                          HeldTensors& held) const;
};

}  // namespace cpbench
