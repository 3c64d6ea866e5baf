#include "harness/execute_cuda/attention/choose_kernel.h"

#include <gtest/gtest.h>

#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

using Names = std::vector<std::string>;

TEST(ChooseKernel, cudnn_is_first_from_hopper_on) {
  EXPECT_EQ(auto_kernels(90), (Names{"cudnn", "flash3", "flash", "reference"}));
  EXPECT_EQ(auto_kernels(100), (Names{"cudnn", "flash3", "flash", "reference"}));
  EXPECT_EQ(auto_kernels(80), (Names{"flash3", "flash", "reference"}));
}

TEST(ChooseKernel, the_first_that_can_is_taken) {
  Names tried;
  const auto open = [&](const std::string& name) {
    tried.push_back(name);
    if (name == "cudnn") throw UserError("kernel 'cudnn' cannot");
  };
  EXPECT_EQ(first_kernel(auto_kernels(90), open), "flash3");
  EXPECT_EQ(tried, (Names{"cudnn", "flash3"}));
}

TEST(ChooseKernel, if_none_can_the_last_says_why) {
  const auto open = [](const std::string& name) { throw UserError(name + " cannot"); };
  EXPECT_EQ(error_of([&] { first_kernel(auto_kernels(80), open); }), "reference cannot");
}

TEST(ChooseKernel, other_errors_are_not_passed_over) {
  const auto open = [](const std::string&) { throw std::runtime_error("out of order"); };
  EXPECT_THROW(first_kernel(auto_kernels(90), open), std::runtime_error);
}

TEST(ChooseKernel, unknown_names_are_refused) {
  check_gpu_kernel_name("auto");
  check_gpu_kernel_name("flash");
  EXPECT_EQ(error_of([] { check_gpu_kernel_name("fused"); }),
            "unknown GPU kernel 'fused'; known: auto, cudnn, flash3, flash, reference");
}

TEST(ChooseKernel, not_every_kernel_leaves_sms_free) {
  for (const std::string name : {"cudnn", "flash", "reference"}) {
    check_sm_margin(name, 0);
    EXPECT_EQ(error_of([&] { check_sm_margin(name, 8); }),
              "kernel '" + name + "' uses all SMs; only kernel 'flash3' has an sm_margin");
  }
  check_sm_margin("flash3", 8);
}

TEST(ChooseKernel, a_margin_leaves_an_sm) {
  check_sms_left(131, 132);
  EXPECT_EQ(error_of([] { check_sms_left(132, 132); }),
            "sm_margin is 132; must be fewer than the 132 SMs of the GPU");
}

}  // namespace
}  // namespace cpbench
