#include "harness/cost/kernel_time.h"

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {
namespace {

// Towards positive infinity, for negative numerators too.
int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// KV blocks that the tiles of one segment walk, over all of them.
int64_t walked_blocks(const AttentionSegment& s, int64_t block) {
  int64_t tiles = ceil_div(s.q_tokens, kTileTokens);
  if (!s.causal) return tiles * ceil_div(s.kv_tokens, block);
  // Tile t = 1, 2, ... ends at key prefix + 128 t, the last one at kv_tokens.
  int64_t prefix = s.kv_tokens - s.q_tokens;
  int64_t whole = s.q_tokens / kTileTokens;
  int64_t blind = 0;  // leading whole tiles that see no key
  if (prefix < 0) {
    blind = std::min(whole, -prefix / kTileTokens);
    prefix += blind * kTileTokens;
    whole -= blind;
  }
  int64_t blocks =
      whole * ceil_div(prefix, block) + kTileTokens / block * (whole * (whole + 1) / 2);
  if (s.q_tokens % kTileTokens != 0) blocks += ceil_div(std::max<int64_t>(0, s.kv_tokens), block);
  return blocks;
}

}  // namespace

const std::vector<KernelModel>& kernel_models() {
  static const std::vector<KernelModel> models = {
      {
          .name = "cudnn_h200",
          .source = "cuDNN 9.19.1 on H200, causal, 64:8 heads, 2K to 32K tokens "
                    "(NVIDIA/cudnn-frontend benchmark results): within 2% forward, 2.5% backward",
          .sms = 132,
          .forward = {.tile_us = 4.92, .block_us = 1.550},
          .backward = {.tile_us = 21.1, .block_us = 4.463},
      },
      {
          .name = "fa2_h100",
          .source =
              "FlashAttention-2 on H100: forward on the profile of hao-ai-lab/DistCA, queries "
              "of 64 and more, mean error 5.4%, worst 26%; backward read off a chart, within "
              "3%, its cost per KV block told apart by memory bandwidth",
          .sms = 132,
          .forward = {.call_us = 55, .tile_us = 2.66, .block_us = 1.527, .block_tokens = 64},
          // 36.6 + 5.2 = 41.8 per tile of square shapes, which is what was fitted.
          .backward = {.tile_us = 36.6, .block_us = 7.83, .kv_block_us = 5.2},
      },
      {
          .name = "fa3_h100",
          .source = "FlashAttention-3 on H100, read off charts: backward within 2%, forward up to "
                    "12%, and too good for short segments, having no cost per tile",
          .sms = 132,
          .forward = {.call_us = 29, .block_us = 1.56},
          .backward = {.call_us = 65, .tile_us = 15.6, .block_us = 4.64},
      },
  };
  return models;
}

const KernelModel& find_kernel_model(const std::string& name) {
  std::vector<std::string> known;
  for (const KernelModel& model : kernel_models()) {
    if (model.name == name) return model;
    known.push_back(model.name);
  }
  throw UserError(unknown_name("kernel model", name, known));
}

double kernel_seconds(const KernelModel& model, KernelPass pass,
                      std::span<const AttentionSegment> segments, int32_t query_heads) {
  const KernelConstants& c = pass == KernelPass::forward ? model.forward : model.backward;
  int64_t tiles = 0, blocks = 0, kv_blocks = 0;
  for (const AttentionSegment& s : segments) {
    tiles += s.count * ceil_div(s.q_tokens, kTileTokens);
    blocks += s.count * walked_blocks(s, c.block_tokens);
    kv_blocks += s.count * ceil_div(s.kv_tokens, c.block_tokens);
  }
  if (tiles == 0) return 0;  // no call
  double busy_us = c.tile_us * static_cast<double>(tiles) +
                   c.block_us * static_cast<double>(blocks) +
                   c.kv_block_us * static_cast<double>(kv_blocks);
  return 1e-6 * (c.call_us + busy_us * query_heads / model.sms);
}

}  // namespace cpbench
