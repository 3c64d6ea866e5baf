#include "harness/execute_cuda/load_kernel.h"

#include <gtest/gtest.h>

#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

// This test's folder has no modules. (tests/gpu_kernels loads them.)
TEST(LoadKernel, says_what_was_missing_when_it_was_built) {
  EXPECT_EQ(error_of([] { load_kernel("flash"); }),
            "this cpbench was built without kernel 'flash': install LibTorch with CUDA and the "
            "libraries that come with it and rebuild");
  EXPECT_EQ(error_of([] { load_kernel("flash3"); }),
            "this cpbench was built without kernel 'flash3': install LibTorch with CUDA and the "
            "libraries that come with it and rebuild");
  EXPECT_EQ(error_of([] { load_kernel("cudnn"); }),
            "this cpbench was built without kernel 'cudnn': install cuDNN 9 and "
            "nvidia-cudnn-frontend and rebuild");
}

}  // namespace
}  // namespace cpbench
