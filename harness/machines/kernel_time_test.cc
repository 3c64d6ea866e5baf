#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "harness/machines/kernel_models.h"
#include "harness/plan/range_sets.h"

namespace cpbench {
namespace {

constexpr KernelPass kPasses[] = {KernelPass::forward, KernelPass::backward};

AttentionShape shape_of(int32_t head_dim) {
  return {.query_heads = 16, .kv_heads = 8, .head_dim = head_dim, .value_head_dim = head_dim};
}

// The keys that query i of a segment sees.
Range seen(const AttentionSegment& s, int64_t i) {
  int64_t begin = 0, end = s.kv_tokens;
  if (s.causal) end = s.kv_tokens - s.q_tokens + 1 + i;
  if (s.band) {
    begin = std::clamp<int64_t>(i + s.first, 0, s.kv_tokens);
    end = std::clamp<int64_t>(i + s.last + 1, 0, s.kv_tokens);
  }
  return {begin, std::max(begin, end)};
}

// The sum in the header of kernel_time.h, tile by tile and block by block.
double tile_by_tile(const KernelModel& model, KernelPass pass,
                    const std::vector<AttentionSegment>& segments, int32_t heads) {
  const KernelConstants& c = model.of(pass);
  const auto blocks_to = [&](int64_t keys) {
    return std::ceil(static_cast<double>(keys) / static_cast<double>(c.block_tokens));
  };
  double on_sms = 0, count = 0, used = 0, grid = 0, longest = 0;
  for (const AttentionSegment& s : segments) {
    for (int64_t copy = 0; copy < s.count; ++copy) {
      ++count;
      double tiles = 0;
      std::vector<double> column(blocks_to(s.kv_tokens));  // number of tiles that walk each block
      for (int64_t begin = 0; begin < s.q_tokens; begin += c.tile_tokens) {
        const int64_t end = std::min(begin + c.tile_tokens, s.q_tokens);
        const Range first = seen(s, begin), last = seen(s, end - 1);
        double walked = 0;
        if (last.end > 0) {
          for (auto b = first.begin / c.block_tokens; b < blocks_to(last.end); ++b) {
            ++walked;
            ++column[b];
          }
        }
        ++tiles;
        on_sms += c.tile_us + c.block_us * walked +
                  c.rows_us * static_cast<double>(end - begin) / static_cast<double>(c.tile_tokens);
        if (pass == KernelPass::forward && !s.causal) longest = std::max(longest, walked);
      }
      const double kv_blocks = blocks_to(s.kv_tokens);
      if (pass == KernelPass::forward && s.causal) longest = std::max(longest, kv_blocks);
      if (pass == KernelPass::backward) {
        longest =
            std::max(longest, s.band ? *std::max_element(column.begin(), column.end()) : tiles);
      }
      on_sms += (c.kv_block_us + c.grouped_kv_block_us) * kv_blocks;  // shape_of has groups
      used += pass == KernelPass::forward ? tiles : kv_blocks;
      grid = std::max(grid, pass == KernelPass::forward ? tiles : kv_blocks);
    }
  }
  if (count == 0) return 0;
  const double share = static_cast<double>(heads) / model.gpu.sms;
  const double busy = std::max(on_sms * share + c.longest_us * longest, c.block_us * longest);
  return 1e-6 * (c.call_us + c.segment_us * count + busy +
                 c.empty_block_us * (count * grid - used) * share);
}

KernelModel model_with(int32_t tile, int32_t block, bool longest) {
  KernelModel model;
  model.gpu.sms = 12;
  model.forward = {.call_us = 20,
                   .segment_us = 0.5,
                   .longest_us = longest ? 0.7 : 0,
                   .tile_us = 2,
                   .rows_us = 3,
                   .block_us = longest ? 1.5 : 0.001,
                   .kv_block_us = 0.25,
                   .empty_block_us = 0.4,
                   .tile_tokens = tile,
                   .block_tokens = block};
  model.backward = model.forward;
  model.backward.kv_block_us = 4;
  return model;
}

TEST(KernelTime, ClosedFormIsTheSumOverTiles) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 300; ++i) {
    std::vector<AttentionSegment> call;
    for (uint64_t n = 1 + random() % 3; n > 0; --n) {
      int64_t q = 1 + static_cast<int64_t>(random() % 900);
      int64_t kv =
          1 + static_cast<int64_t>(random() % 1500);  // if fewer than q, some rows see no key
      call.push_back({q, kv, random() % 2 == 0, 1 + static_cast<int64_t>(random() % 3)});
    }
    for (auto [tile, block] : {std::pair{128, 128}, {128, 64}, {32, 256}, {64, 512}, {1, 1}}) {
      const KernelModel model = model_with(tile, block, true);
      for (KernelPass pass : kPasses) {
        const double expected = tile_by_tile(model, pass, call, 16);
        ASSERT_NEAR(kernel_seconds(model, pass, call, shape_of(128), 16), expected, 1e-9 * expected)
            << tile << " x " << block << ": q " << call[0].q_tokens << " kv " << call[0].kv_tokens;
      }
    }
  }
}

TEST(KernelTime, FewTokensAreTheirSum) {
  std::mt19937_64 random(11);
  for (auto [tile, block] : {std::pair{128, 128}, {128, 64}, {32, 256}}) {
    KernelModel model = model_with(tile, block, true);
    model.backward.grouped_kv_block_us = 5;
    model.backward.grouped_cached_tokens = 30;
    const int32_t few = few_tokens(model);
    EXPECT_EQ(few, 30);
    for (int i = 0; i < 100; ++i) {
      const AttentionSegment large{900, 1500, true};
      std::vector<AttentionSegment> each = {large};
      AttentionSegment sum{.count = 0, .summed = true};
      for (uint64_t n = 1 + random() % 9; n > 0; --n) {
        each.push_back(
            {1 + static_cast<int64_t>(random() % few), 1 + static_cast<int64_t>(random() % few)});
        sum.q_tokens += each.back().q_tokens;
        sum.kv_tokens += each.back().kv_tokens;
        ++sum.count;
      }
      for (KernelPass pass : kPasses) {
        EXPECT_EQ(kernel_seconds(model, pass, std::vector{large, sum}, shape_of(128), 16),
                  kernel_seconds(model, pass, each, shape_of(128), 16));
      }
    }
  }
  KernelModel model = model_with(1, 1, true);
  model.forward.padded = false;
  EXPECT_EQ(few_tokens(model), 0);
}

// Every query of these bands sees a key. The longest walk of a band is an upper bound, so it is
// left out here.
TEST(KernelTime, BandsAreTheSumOverTiles) {
  std::mt19937_64 random(10);
  const auto draw = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  for (int i = 0; i < 1500; ++i) {
    AttentionSegment s{.q_tokens = 1 + draw(900), .band = true};
    s.first = draw(700) - 400;
    s.last = std::max<int64_t>(s.first, 0) + draw(300);
    // The last query sees its first key. Keys beyond its last one are cut off or never seen.
    s.kv_tokens = std::max<int64_t>(1, s.q_tokens + s.first) + draw(400);
    for (auto [tile, block] : {std::pair{128, 128}, {128, 64}, {32, 256}, {1, 1}}) {
      const KernelModel model = model_with(tile, block, false);
      for (KernelPass pass : kPasses) {
        const double expected = tile_by_tile(model, pass, {s}, 16);
        ASSERT_NEAR(kernel_seconds(model, pass, std::vector{s}, shape_of(128), 16), expected,
                    1e-9 * expected)
            << tile << " x " << block << ": q " << s.q_tokens << " kv " << s.kv_tokens << " band "
            << s.first << " to " << s.last;
      }
    }
  }
}

TEST(KernelTime, ABandThatHidesNothingIsCausalOrFull) {
  const KernelModel& model = find_kernel("fa2_h100");
  for (KernelPass pass : kPasses) {
    const auto seconds = [&](const AttentionSegment& s) {
      return kernel_seconds(model, pass, std::vector{s}, shape_of(128), 16);
    };
    const AttentionSegment causal{1000, 3000, true}, full{1000, 3000};
    AttentionSegment band{.q_tokens = 1000, .kv_tokens = 3000, .band = true};
    band.first = -1000;
    band.last = 2000;
    EXPECT_DOUBLE_EQ(seconds(band), seconds(causal));
    band.last = 3000;
    EXPECT_DOUBLE_EQ(seconds(band), seconds(full));
  }
}

// Row by row: the keys of its tile, and of these the blocks up to the tile's last row of the
// square.
TEST(KernelTime, UnpaddedKernelsCountExactlyTheRowsAndKeys) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 500; ++i) {
    const auto q = static_cast<int64_t>(1 + random() % 1500);
    const AttentionSegment s{q, q + static_cast<int64_t>(random() % 900), i % 2 == 0, 3};
    for (auto [tile, block] : {std::pair{64, 512}, {256, 64}, {32, 32}}) {
      KernelModel model = model_with(tile, block, true);
      model.forward.padded = false;
      CallTime call(model, KernelPass::forward, shape_of(128), 16);
      call.add(s);
      double keys = 0, pairs = 0;
      for (int64_t begin = 0; begin < q; begin += tile) {
        const int64_t end = std::min<int64_t>(begin + tile, q);
        const int64_t blocks_end = std::min<int64_t>(q, (end + block - 1) / block * block);
        const int64_t seen = s.causal ? s.kv_tokens - q + blocks_end : s.kv_tokens;
        keys += 3.0 * static_cast<double>(seen);
        pairs += 3.0 * static_cast<double>(seen * (end - begin));
      }
      ASSERT_NEAR(call.work().blocks * block, keys, 1e-6) << q << " over " << s.kv_tokens;
      ASSERT_NEAR(call.work().pairs * block * tile, pairs, 1e-6) << q << " over " << s.kv_tokens;
    }
  }
}

TEST(KernelTime, NoSegmentsAreNoCall) {
  const KernelModel& model = find_kernel("fa3_h100");
  EXPECT_EQ(kernel_seconds(model, KernelPass::forward, {}, shape_of(128), 8), 0);
}

// Documents of 128 tokens next to one of 16K: the grid has 128 blocks for each of them.
TEST(KernelTime, EmptyBlocksCountForManyShortDocumentsNextToALongOne) {
  KernelModel model = find_kernel("fa2_h100");
  const std::vector<AttentionSegment> call = {{128, 128, true, 1000}, {16384, 16384, true}};
  for (KernelPass pass : kPasses) {
    KernelConstants& c = pass == KernelPass::forward ? model.forward : model.backward;
    const double with = kernel_seconds(model, pass, call, shape_of(128), 16);
    const double us = c.empty_block_us;
    c.empty_block_us = 0;
    const double without = kernel_seconds(model, pass, call, shape_of(128), 16);
    const double grid = pass == KernelPass::forward ? 128 : 16384.0 / c.block_tokens;
    const double empty = 1000 * (grid - (pass == KernelPass::forward ? 1 : 128 / c.block_tokens));
    EXPECT_NEAR(with - without, 1e-6 * us * empty * 16 / 132, 1e-12);
  }
}

TEST(KernelTime, OneTileIsNoFasterOnManySms) {
  const KernelModel& model = find_kernel("cudnn_h200");
  const std::vector<AttentionSegment> tile = {{1, 128 * 1000}};
  const double seconds = kernel_seconds(model, KernelPass::forward, tile, shape_of(128), 1);
  EXPECT_NEAR(seconds, 1e-6 * (model.forward.call_us + 1000 * model.forward.block_us), 1e-9);
  EXPECT_DOUBLE_EQ(kernel_seconds(model, KernelPass::forward, tile, shape_of(128), 1, 66), seconds);
}

TEST(KernelTime, FewerSmsTakeLonger) {
  const KernelModel& model = find_kernel("cudnn_h200");
  const std::vector<AttentionSegment> call = {{8192, 8192, true}};
  const double all = kernel_seconds(model, KernelPass::forward, call, shape_of(128), 64);
  const double half = kernel_seconds(model, KernelPass::forward, call, shape_of(128), 64, 66);
  EXPECT_DOUBLE_EQ(all, kernel_seconds(model, KernelPass::forward, call, shape_of(128), 64, 132));
  EXPECT_NEAR(half, 2 * all, 0.01 * all);
}

TEST(KernelTime, OtherHeadSizesScaleTheWorkAndAreMarked) {
  const KernelModel& model = find_kernel("cudnn_h200");
  const std::vector<AttentionSegment> call = {{8192, 8192}};
  const auto seconds = [&](int32_t head_dim) {
    return kernel_seconds(model, KernelPass::forward, call, shape_of(head_dim), 64);
  };
  const double launch = 1e-6 * model.forward.call_us;
  EXPECT_NEAR((seconds(64) - launch) / (seconds(128) - launch), 0.5, 1e-9);
  EXPECT_FALSE(extrapolates(model, shape_of(128)));
  EXPECT_TRUE(extrapolates(model, shape_of(64)));
}

TEST(KernelTime, ScalesToAnotherGpuByTheRatesPerSm) {
  const KernelModel& model = find_kernel("fa2_h100");
  GpuProperties gpu = model.gpu;
  gpu.name = "twin";
  gpu.peak_flops_per_second *= 1.01;  // the same GPU by another data sheet
  EXPECT_FALSE(scaled_to(model, gpu).extrapolated);
  EXPECT_EQ(scaled_to(model, gpu).forward.block_us, model.forward.block_us);

  gpu = {.name = "half", .sms = 66, .peak_flops_per_second = model.gpu.peak_flops_per_second / 4};
  const KernelModel half = scaled_to(model, gpu);
  EXPECT_TRUE(half.extrapolated);
  EXPECT_EQ(half.gpu.sms, 66);
  EXPECT_DOUBLE_EQ(half.forward.block_us, 2 * model.forward.block_us);
  EXPECT_EQ(half.forward.tile_us, model.forward.tile_us);  // memory bandwidth unknown
  gpu.memory_bytes_per_second = model.gpu.memory_bytes_per_second;
  EXPECT_DOUBLE_EQ(scaled_to(model, gpu).backward.kv_block_us, model.backward.kv_block_us / 2);
}

TEST(KernelTimeTest, OnlyGroupedQueriesPayForAccumulators) {
  const KernelModel& fa3 = find_kernel("fa3_h100");
  AttentionSegment keys{.q_tokens = 128, .kv_tokens = 128 * 400};
  const auto backward = [&](int32_t kv_heads, const KernelModel& model) {
    AttentionShape shape = shape_of(128);
    shape.kv_heads = kv_heads;
    return kernel_seconds(model, KernelPass::backward, std::span(&keys, 1), shape, 16);
  };
  const double added = backward(8, fa3) - backward(16, fa3);
  EXPECT_NEAR(added, 16.0 / 132 * 400 * 10.3e-6, 1e-12);
  GpuProperties slower = fa3.gpu;
  slower.memory_bytes_per_second /= 2;
  const KernelModel scaled = scaled_to(fa3, slower);
  EXPECT_NEAR(backward(8, scaled) - backward(16, scaled), 2 * added, 1e-12);
  keys.kv_tokens = 128 * 380;  // their accumulators stay in the L2
  EXPECT_DOUBLE_EQ(backward(8, fa3), backward(16, fa3));
}

// Beyond 10 ms the clock is that which the GPU can sustain.
TEST(KernelTimeTest, LongCallsAreSlower) {
  KernelModel model = model_with(128, 128, false);
  model.forward.sustained_slowdown = 0.2;
  KernelModel boosted = model;
  boosted.forward.sustained_slowdown = 0;
  for (const int64_t tokens : {1000, 100'000, 10'000'000}) {
    const std::vector<AttentionSegment> call = {{tokens, 1000}};
    const auto seconds = [&](const KernelModel& m) {
      return kernel_seconds(m, KernelPass::forward, call, shape_of(128), 16);
    };
    const double fast = seconds(boosted);
    EXPECT_DOUBLE_EQ(seconds(model), fast + 0.2 * std::max(0.0, fast - 10e-3)) << tokens;
    EXPECT_EQ(fast > 10e-3, tokens == 10'000'000) << fast;
  }
}

}  // namespace
}  // namespace cpbench
