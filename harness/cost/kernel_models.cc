// The built-in kernel models: the one place where their constants are. They are what
// `cpbench calibrate` finds in the measurements under results/calibration; tests/cli holds both
// together.
#include "harness/cost/kernel_time.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {
namespace {

const GpuFacts kH100 = {"H100 SXM", 132, 989.5e12, 3.35e12};
const GpuFacts kH200 = {"H200 SXM", 132, 989.5e12, 4.8e12};

KernelModel cudnn_h200() {
  return {
      .name = "cudnn_h200",
      .source =
          "cuDNN 9.19.1, 64:8 heads, 2K to 32K tokens, causal and full "
          "(NVIDIA/cudnn-frontend benchmark results, MIT)",
      .gpu = kH200,
      .forward = {.call_us = 1.407,
                  .tile_us = 4.348,
                  .block_us = 1.547,
                  .empty_block_us = kAssumedEmptyBlockUs,
                  .mean_error = 0.028,
                  .worst_error = 0.089},
      .backward = {.call_us = 32.23,
                   .tile_us = 15.41,
                   .block_us = 4.514,
                   .empty_block_us = kAssumedEmptyBlockUs,
                   .mean_error = 0.039,
                   .worst_error = 0.098},
  };
}

KernelModel fa2_h100() {
  return {
      .name = "fa2_h100",
      .source =
          "FlashAttention-2: forward 1 to 1024 causal segments of 4 to 32K queries "
          "(hao-ai-lab/DistCA profile, Apache-2.0); backward read off a chart, within 3%, "
          "its cost per KV block told apart by memory bandwidth",
      .gpu = kH100,
      .forward = {.call_us = 53.18,
                  .longest_us = 0.5698,
                  .tile_us = 0.8918,
                  .rows_us = 1.874,
                  .block_us = 1.456,
                  .kv_block_us = 0.07598,
                  .empty_block_us = kAssumedEmptyBlockUs,
                  .block_tokens = 64,
                  .mean_error = 0.028,
                  .worst_error = 0.099},
      // Blocks of 64 queries x 128 keys at head dim 128 (run_mha_bwd_hdim128 of its source). K, V
      // read and dK, dV written are 131 KB per block of keys: 5.2 us of an SM's share of the memory
      // bandwidth, out of the 41.8 us per 128 queries of the squares that the chart shows.
      .backward = {.tile_us = 18.3,
                   .block_us = 3.915,
                   .kv_block_us = 5.2,
                   .empty_block_us = kAssumedEmptyBlockUs,
                   .tile_tokens = 64},
  };
}

KernelModel fa3_h100() {
  return {
      .name = "fa3_h100",
      .source =
          "FlashAttention-3: forward squares of 512 to 16K, causal and full, backward full "
          "(labels of charts in arXiv 2407.08608)",
      .gpu = kH100,
      // Its scheduler counts the tiles that there are: no empty blocks.
      .forward = {.longest_us = 1.087,
                  .tile_us = 3.027,
                  .block_us = 1.564,
                  .mean_error = 0.027,
                  .worst_error = 0.079},
      .backward = {.tile_us = 15.62,
                   .block_us = 4.679,
                   .empty_block_us = kAssumedEmptyBlockUs,
                   .mean_error = 0.026,
                   .worst_error = 0.053},
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
