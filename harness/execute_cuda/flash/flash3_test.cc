// The operators of FlashAttention-3 get what their schema says, and calls on them equal the
// reference kernel. The library is a fake one (fake_flash3_for_tests.cc).
#include "harness/execute_cuda/flash/flash3.h"

#include "harness/execute_cuda/attention/cpu_machine_for_tests.h"
#include "harness/execute_cuda/attention/random_call_for_tests.h"
#include "harness/execute_cuda/flash/fake_flash3_for_tests.h"

namespace cpbench {
namespace {

constexpr int32_t kMargin = 3;

class Flash3OnCpu : public CpuMachine {
 public:
  static constexpr bool kReadsBeyond = Flash3::kReadsBeyond;
  FlashOutput forward(const FlashForwardInput& in) { return library_.forward(in, on_cpu_, held_); }
  FlashGradients backward(const FlashBackwardInput& in) {
    return library_.backward(in, on_cpu_, held_);
  }

 private:
  Flash3 library_{kMargin};
  TorchTensors on_cpu_{at::kCPU};
  HeldTensors held_;
};

TEST(Flash3, forward_equals_the_reference) {
  last_flash3_sm_margin = -1;
  expect_forward_equals_reference<FlashForwardCall<Flash3OnCpu>>(
      [](RandomCall&) { return Flash3OnCpu(); }, [](const Flash3OnCpu&) {});
  EXPECT_EQ(last_flash3_sm_margin, kMargin);
}

TEST(Flash3, backward_equals_the_reference) {
  last_flash3_sm_margin = -1;
  expect_backward_equals_reference<FlashBackwardCall<Flash3OnCpu>>([] { return Flash3OnCpu(); });
  EXPECT_EQ(last_flash3_sm_margin, kMargin);
}

// By the formulas of mha_bwd, for 8 query and 2 KV heads of 64.
TEST(Flash3, the_memory_of_a_backward_call_is_what_the_operator_allocates) {
  FlashBackwardInput in;
  in.width = 64;
  in.sequences = 2;
  in.max_q = in.max_k = 700;
  in.q = {nullptr, 1000, 0, 8};
  in.k = in.v = {nullptr, 900, 0, 2};
  const int64_t padded_q = 1280, padded_k = 1280;  // multiples of 128 from 1256 and 1156 on
  const int64_t gradients = (1000 * 8 + 2 * 900 * 2) * 64 * 2;
  const int64_t accumulators = (padded_q * 8 + 2 * padded_k * 2) * 64 * 4;
  const int64_t side_data = 2 * padded_q * 8 * 4, semaphores = 6 * 2 * 8 * 4;
  const int64_t needed = gradients + accumulators + side_data + semaphores;
  EXPECT_GE(Flash3::memory_of(in), needed + 8 * 512);  // each rounded to 512 bytes
  EXPECT_LE(Flash3::memory_of(in), needed + (1 << 17));
}

TEST(Flash3, operators_are_found) { EXPECT_TRUE(has_flash3_operators()); }

}  // namespace
}  // namespace cpbench
