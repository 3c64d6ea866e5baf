#include "harness/cost/kernel_time.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "harness/cost/mask_segments.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// The sum of the header, tile by tile.
double tile_by_tile(const KernelModel& model, KernelPass pass,
                    const std::vector<AttentionSegment>& segments, int32_t heads) {
  const KernelConstants& c = pass == KernelPass::forward ? model.forward : model.backward;
  double us = 0;
  auto blocks = [&](int64_t keys) {
    return std::ceil(static_cast<double>(keys) / static_cast<double>(c.block_tokens));
  };
  for (const AttentionSegment& s : segments) {
    for (int64_t copy = 0; copy < s.count; ++copy) {
      us += c.kv_block_us * blocks(s.kv_tokens);
      for (int64_t end = kTileTokens; end < s.q_tokens + kTileTokens; end += kTileTokens) {
        int64_t last = std::min(end, s.q_tokens);
        int64_t seen = s.causal ? s.kv_tokens - s.q_tokens + last : s.kv_tokens;
        us += c.tile_us + c.block_us * blocks(std::max<int64_t>(0, seen));
      }
    }
  }
  return segments.empty() ? 0 : 1e-6 * (c.call_us + us * heads / model.sms);
}

TEST(KernelTime, ClosedFormIsTheSumOverTiles) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 3000; ++i) {
    std::vector<AttentionSegment> call;
    for (uint64_t n = 1 + random() % 3; n > 0; --n) {
      int64_t q = 1 + static_cast<int64_t>(random() % 900);
      int64_t kv = 1 + static_cast<int64_t>(random() % 1500);  // fewer than q: blind rows
      call.push_back({q, kv, random() % 2 == 0, 1 + static_cast<int64_t>(random() % 3)});
    }
    for (const KernelModel& model : kernel_models()) {
      for (KernelPass pass : {KernelPass::forward, KernelPass::backward}) {
        double expected = tile_by_tile(model, pass, call, 16);
        ASSERT_NEAR(kernel_seconds(model, pass, call, 16), expected, 1e-9 * expected)
            << model.name << " q " << call[0].q_tokens << " kv " << call[0].kv_tokens;
      }
    }
  }
}

TEST(KernelTime, NoSegmentsAreNoCall) {
  EXPECT_EQ(kernel_seconds(find_kernel_model("fa3_h100"), KernelPass::forward, {}, 8), 0);
}

// NVIDIA/cudnn-frontend benchmark results (MIT): cuDNN 9.19.1, H200, bf16, causal, batch 1, 64
// query heads, 8 KV heads, head size 128.
TEST(KernelTime, CudnnOnH200IsWithinTheStatedError) {
  struct Measured {
    int64_t tokens;
    double forward_ms, backward_ms;
  };
  const KernelModel& model = find_kernel_model("cudnn_h200");
  for (Measured m :
       {Measured{2048, 0.142, 0.464}, Measured{4096, 0.465, 1.450}, Measured{8192, 1.708, 5.083},
        Measured{16384, 6.531, 19.002}, Measured{32768, 25.566, 75.688}}) {
    std::vector<AttentionSegment> call = {{m.tokens, m.tokens, true}};
    EXPECT_NEAR(kernel_seconds(model, KernelPass::forward, call, 64) * 1e3, m.forward_ms,
                0.02 * m.forward_ms);
    EXPECT_NEAR(kernel_seconds(model, KernelPass::backward, call, 64) * 1e3, m.backward_ms,
                0.025 * m.backward_ms);
  }
}

// hao-ai-lab/DistCA profiling data (Apache-2.0): FlashAttention-2 forward on H100, `count` equal
// causal segments, head size 128.
TEST(KernelTime, Fa2OnH100IsWithinTheStatedError) {
  struct Measured {
    int64_t count, q, kv;
    int32_t heads;
    double ms;
  };
  const KernelModel& model = find_kernel_model("fa2_h100");
  double total_error = 0;
  const std::vector<Measured> all = {
      {1, 4096, 18432, 32, 3.0911}, {1, 8192, 20480, 8, 1.8051}, {1, 32768, 32768, 64, 49.4928},
      {2, 2048, 9216, 16, 0.8640},  {4, 1024, 4608, 32, 0.8363}, {4, 8192, 8192, 8, 1.6836},
      {8, 512, 2304, 64, 0.8476},   {8, 4096, 4096, 16, 1.6422}, {16, 256, 1152, 16, 0.1766},
      {16, 2048, 2048, 64, 3.4125}, {32, 256, 640, 16, 0.1863},  {32, 1024, 1024, 8, 0.3200},
  };
  for (const Measured& m : all) {
    std::vector<AttentionSegment> call = {{m.q, m.kv, true, m.count}};
    double error = kernel_seconds(model, KernelPass::forward, call, m.heads) * 1e3 / m.ms - 1;
    EXPECT_LE(std::abs(error), 0.26) << m.count << " x " << m.q << " over " << m.kv;
    total_error += std::abs(error);
  }
  EXPECT_LE(total_error / static_cast<double>(all.size()), 0.08);
}

TEST(KernelTime, UnknownModelsAreRefused) {
  try {
    find_kernel_model("cudnn_h100");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "unknown kernel model 'cudnn_h100'; did you mean 'cudnn_h200'?");
  }
}

std::vector<AttentionSegment> segments_of(const Batch& batch, RangeSpan queries) {
  std::vector<AttentionSegment> out;
  mask_segments(MaskIndex(batch), queries, out);
  return out;
}

bool same(const AttentionSegment& a, const AttentionSegment& b) {
  return a.q_tokens == b.q_tokens && a.kv_tokens == b.kv_tokens && a.causal == b.causal &&
         a.count == b.count;
}

TEST(MaskSegments, FollowTheMask) {
  Batch batch{{100, 200}};
  Ranges queries = {{50, 150}, {250, 300}};
  std::vector<AttentionSegment> causal = segments_of(batch, queries);
  ASSERT_EQ(causal.size(), 3);
  EXPECT_TRUE(same(causal[0], {50, 100, true}));
  EXPECT_TRUE(same(causal[1], {50, 50, true}));
  EXPECT_TRUE(same(causal[2], {50, 200, true}));
  batch.mask = Mask::causal;
  EXPECT_TRUE(same(segments_of(batch, queries).front(), {100, 150, true}));
  batch.mask = Mask::document_full;
  EXPECT_TRUE(same(segments_of(batch, queries).back(), {50, 200, false}));
  EXPECT_TRUE(segments_of(batch, {}).empty());
}

TEST(MaskSegments, WindowsAreTilesBeyondTheFirstWindow) {
  Batch batch{{1000}, Mask::sliding_window, 64};
  Ranges queries = {{32, 432}};
  std::vector<AttentionSegment> found = segments_of(batch, queries);
  ASSERT_EQ(found.size(), 3);
  EXPECT_TRUE(same(found[0], {32, 64, true}));        // positions 32-63
  EXPECT_TRUE(same(found[1], {128, 191, false, 2}));  // 64-319
  EXPECT_TRUE(same(found[2], {112, 175, false}));     // 320-431
}

}  // namespace
}  // namespace cpbench
