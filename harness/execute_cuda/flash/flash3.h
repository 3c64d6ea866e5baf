// FlashAttention-3: the operators flash_attn_3::fwd and bwd, which the library of the Python
// package flash_attn_3 registers with LibTorch (hopper/flash_api.cpp of flash-attention).
//
//   const Flash3 library(sm_margin);   // UserError: the operators are not registered
//
// Arguments are passed by name, and all others have the defaults of the operators' schemas.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include "harness/execute_cuda/flash/torch_tensors.h"

namespace cpbench {

// Whether a library has registered the operators.
bool has_flash3_operators();

class Flash3 {
 public:
  // Its matrix products cover whole tiles of 64 to 192 rows, also beyond the end of a sequence.
  static constexpr bool kReadsBeyond = true;
  static constexpr bool kAllocatesOutput = false;  // only where the call has no memory for it

  // `sm_margin`: the SMs that the kernels leave free.
  explicit Flash3(int32_t sm_margin);

  // The bytes that the operators allocate.
  static int64_t memory_of(const FlashForwardInput& in);
  static int64_t memory_of(const FlashBackwardInput& in);

  FlashOutput forward(const FlashForwardInput& in, const TorchTensors& tensors,
                      HeldTensors& held) const;
  FlashGradients backward(const FlashBackwardInput& in, const TorchTensors& tensors,
                          HeldTensors& held) const;

 private:
  int64_t sm_margin_;
  c10::OperatorHandle forward_, backward_;
};

}  // namespace cpbench
