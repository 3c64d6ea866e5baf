// Calls on FlashAttention-2 equal the reference kernel. All steps are those that run on a GPU; only
// the library is emulated, with its layouts and its treatment of masks.
#include "harness/execute_cuda/attention/flash_call.h"

#include "harness/execute_cuda/attention/emulated_flash_for_tests.h"
#include "harness/execute_cuda/attention/random_call_for_tests.h"

namespace cpbench {
namespace {

TEST(FlashCall, forward_equals_the_reference) {
  int32_t placed = 0;
  expect_forward_equals_reference<FlashForwardCall<EmulatedFlash>>(
      [](RandomCall& random) { return EmulatedFlash(random.pick(0, 1) == 0); },
      [&](const EmulatedFlash& machine) { placed += machine.placed(); });
  EXPECT_GT(placed, 0);
}

TEST(FlashCall, backward_equals_the_reference) {
  expect_backward_equals_reference<FlashBackwardCall<EmulatedFlash>>(
      [] { return EmulatedFlash(false); });
}

}  // namespace
}  // namespace cpbench
