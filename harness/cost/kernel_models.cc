// The built-in kernel models: the one place where their constants are.
#include "harness/cost/kernel_time.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {
namespace {

const GpuFacts kH100 = {"H100 SXM", 132, 989.5e12, 3.35e12};
const GpuFacts kH200 = {"H200 SXM", 132, 989.5e12, 4.8e12};

// Nothing measured has empty blocks: this is the time for an SM to take in a block and see it end.
constexpr double kEmptyBlockUs = 0.5;

KernelModel cudnn_h200() {
  return {
      .name = "cudnn_h200",
      .source =
          "cuDNN 9.19.1, 64:8 heads, 2K to 32K tokens, causal (NVIDIA/cudnn-frontend "
          "benchmark results, MIT)",
      .gpu = kH200,
      .forward = {.tile_us = 4.92,
                  .block_us = 1.550,
                  .empty_block_us = kEmptyBlockUs,
                  .mean_error = 0.009,
                  .worst_error = 0.018},
      .backward = {.tile_us = 21.1,
                   .block_us = 4.463,
                   .empty_block_us = kEmptyBlockUs,
                   .mean_error = 0.015,
                   .worst_error = 0.025},
  };
}

KernelModel fa2_h100() {
  return {
      .name = "fa2_h100",
      .source =
          "FlashAttention-2: forward of the profile in hao-ai-lab/DistCA (Apache-2.0), 1 to "
          "1024 causal segments of 4 to 32K queries; backward read off a chart, its cost per "
          "KV block told apart by memory bandwidth",
      .gpu = kH100,
      .forward = {.call_us = 53.2,
                  .longest_us = 0.570,
                  .tile_us = 0.892,
                  .rows_us = 1.874,
                  .block_us = 1.456,
                  .kv_block_us = 0.076,
                  .empty_block_us = kEmptyBlockUs,
                  .block_tokens = 64,
                  .mean_error = 0.027,
                  .worst_error = 0.081},
      // 36.6 + 5.2 = 41.8 per tile of square shapes, which is what was fitted.
      .backward = {.tile_us = 36.6,
                   .block_us = 7.83,
                   .kv_block_us = 5.2,
                   .empty_block_us = kEmptyBlockUs},
  };
}

KernelModel fa3_h100() {
  return {
      .name = "fa3_h100",
      .source =
          "FlashAttention-3, read off charts; its forward cost per tile, too small to be "
          "read there, is FlashAttention-2's",
      .gpu = kH100,
      .forward = {.call_us = 29, .tile_us = 0.892, .rows_us = 1.874, .block_us = 1.56},
      .backward = {.call_us = 65,
                   .tile_us = 15.6,
                   .block_us = 4.64,
                   .empty_block_us = kEmptyBlockUs},
  };
}

}  // namespace

const std::vector<KernelModel>& kernel_models() {
  static const std::vector<KernelModel> models = {
      cudnn_h200(),
      fa2_h100(),
      fa3_h100(),
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

}  // namespace cpbench
