#include "harness/execute/kernel_timing.h"

#include <gtest/gtest.h>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

const AttentionShape kShape{.query_heads = 4, .kv_heads = 2, .head_dim = 16, .value_head_dim = 16};

std::vector<Segment> square(int32_t rows) {
  return {{.q_rows = rows, .kv_rows = rows, .mask = SegmentMask::causal}};
}

TEST(KernelTiming, MoreWorkTakesLonger) {
  std::vector<TimedCall> calls = {{.heads = {0, 4}, .segments = square(64)},
                                  {.heads = {0, 4}, .segments = square(1024)},
                                  {.heads = {2, 4}, .segments = square(1024)}};
  time_calls("fused", kShape, calls);
  for (const TimedCall& call : calls) {
    EXPECT_GT(call.forward_seconds, 0);
    EXPECT_GT(call.backward_seconds, 0);
  }
  EXPECT_GT(calls[1].forward_seconds, 4 * calls[0].forward_seconds);  // 256 times the pairs
  EXPECT_GT(calls[1].backward_seconds, 4 * calls[0].backward_seconds);
  EXPECT_LT(calls[2].forward_seconds, calls[1].forward_seconds);  // half the heads
}

TEST(KernelTiming, UnknownKernelsAreRefused) {
  std::vector<TimedCall> calls = {{.heads = {0, 4}, .segments = square(4)}};
  EXPECT_THROW(time_calls("fussed", kShape, calls), UserError);
}

TEST(KernelTiming, RowsAreCopiedAndMerged) {
  const RowRates rates = measure_row_rates(kShape, 1000);
  EXPECT_GT(rates.copied_bytes_per_second, 1e7);
  EXPECT_LT(rates.copied_bytes_per_second, 1e13);
  EXPECT_GT(rates.merged_elements_per_second, 1e5);
  EXPECT_LT(rates.merged_elements_per_second, 1e12);
}

}  // namespace
}  // namespace cpbench
