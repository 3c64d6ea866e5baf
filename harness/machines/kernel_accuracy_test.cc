#include <gtest/gtest.h>

#include <cmath>

#include "harness/machines/kernel_models.h"

namespace cpbench {
namespace {

const AttentionShape kShape{.head_dim = 128, .value_head_dim = 128};

// From the benchmark results of NVIDIA/cudnn-frontend (MIT): cuDNN 9.19.1, H200, bf16, causal,
// batch 1, 64 query heads, 8 KV heads, head size 128.
TEST(KernelModels, CudnnOnH200IsWithinTheStatedError) {
  struct Measured {
    int64_t tokens;
    double forward_ms, backward_ms;
  };
  const KernelModel& model = find_kernel("cudnn_h200");
  for (Measured m :
       {Measured{2048, 0.142, 0.464}, Measured{4096, 0.465, 1.450}, Measured{8192, 1.708, 5.083},
        Measured{16384, 6.531, 19.002}, Measured{32768, 25.566, 75.688}}) {
    std::vector<AttentionSegment> call = {{m.tokens, m.tokens, true}};
    EXPECT_NEAR(kernel_seconds(model, KernelPass::forward, call, kShape, 64) * 1e3, m.forward_ms,
                0.04 * m.forward_ms);
    EXPECT_NEAR(kernel_seconds(model, KernelPass::backward, call, kShape, 64) * 1e3, m.backward_ms,
                0.035 * m.backward_ms);
  }
}

// From the profiling data of hao-ai-lab/DistCA (Apache-2.0): FlashAttention-2 forward on H100,
// `count` equal causal segments, head size 128.
TEST(KernelModels, Fa2OnH100IsWithinTheStatedError) {
  struct Measured {
    int64_t count, q, kv;
    int32_t heads;
    double ms;
  };
  const KernelModel& model = find_kernel("fa2_h100");
  double total_error = 0;
  const std::vector<Measured> all = {
      {1, 4096, 18432, 32, 3.0911}, {1, 8192, 20480, 8, 1.8051}, {1, 32768, 32768, 64, 49.4928},
      {2, 2048, 9216, 16, 0.8640},  {4, 1024, 4608, 32, 0.8363}, {4, 8192, 8192, 8, 1.6836},
      {8, 512, 2304, 64, 0.8476},   {8, 4096, 4096, 16, 1.6422}, {16, 256, 1152, 16, 0.1766},
      {16, 2048, 2048, 64, 3.4125}, {32, 256, 640, 16, 0.1863},  {32, 1024, 1024, 8, 0.3200},
  };
  for (const Measured& m : all) {
    std::vector<AttentionSegment> call = {{m.q, m.kv, true, m.count}};
    double error =
        kernel_seconds(model, KernelPass::forward, call, kShape, m.heads) * 1e3 / m.ms - 1;
    EXPECT_LE(std::abs(error), 0.09) << m.count << " x " << m.q << " over " << m.kv;
    total_error += std::abs(error);
  }
  EXPECT_LE(total_error / static_cast<double>(all.size()), 0.04);
}

}  // namespace
}  // namespace cpbench
