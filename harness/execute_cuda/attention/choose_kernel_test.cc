#include "harness/execute_cuda/attention/choose_kernel.h"

#include <gtest/gtest.h>

#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

using Names = std::vector<std::string>;

TEST(ChooseKernel, cudnn_is_first_from_hopper_on) {
  EXPECT_EQ(auto_kernels(90), (Names{"cudnn", "flash", "reference"}));
  EXPECT_EQ(auto_kernels(100), (Names{"cudnn", "flash", "reference"}));
  EXPECT_EQ(auto_kernels(80), (Names{"flash", "reference"}));
}

TEST(ChooseKernel, the_first_that_can_is_taken) {
  Names tried;
  const auto open = [&](const std::string& name) {
    tried.push_back(name);
    if (name == "cudnn") throw UserError("kernel 'cudnn' cannot");
  };
  EXPECT_EQ(first_kernel(auto_kernels(90), open), "flash");
  EXPECT_EQ(tried, (Names{"cudnn", "flash"}));
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
            "unknown GPU kernel 'fused'; known: auto, cudnn, flash, reference");
}

}  // namespace
}  // namespace cpbench
