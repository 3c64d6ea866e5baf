// Fits the constants of a kernel model to measured calls.
//
//   std::vector<KernelSample> samples = ...;   // one per measured call
//   KernelFit fit = fit_kernel(samples, KernelPass::forward, 132);
//   fit.constants.block_us, fit.constants.mean_error
//
// The constants are the non-negative least squares of the relative errors (least_squares.h), since
// a call of 20 us must be as right as one of 20 ms. The errors stated are those of
// cross-validation: each call is predicted by the constants, and the tile and block sizes, fitted
// to the others.
#pragma once

#include <span>

#include "harness/cost/kernel_time.h"

namespace cpbench {

struct KernelSample {
  std::vector<AttentionSegment> segments;
  int32_t query_heads = 1;
  double seconds = 0;
};

// What a fit may choose from. Of equal fits the first tile and block win. A padded kernel has no
// cost per segment, and one that is not has neither a grid nor SMs that wait for the last.
struct FitChoices {
  std::vector<int32_t> tile_tokens = {kTileTokens};
  std::vector<int32_t> block_tokens = {128, 64};
  bool padded = true;
};

struct KernelFit {
  KernelConstants constants;     // with the errors of cross-validation
  double fitted_mean_error = 0;  // on the calls it was fitted to
  double fitted_worst_error = 0;
  int32_t samples = 0;
  bool empty_blocks = false;  // some call had any: else empty_block_us is not measured, and 0
};

inline constexpr int32_t kFolds = 5;
// With fewer, a fold leaves fewer calls than a kernel has constants that matter: call, tile, block.
inline constexpr int32_t kLeastSamples = 6;

// `sms` that ran the calls, all at one head size. Throws UserError for fewer than kLeastSamples.
KernelFit fit_kernel(std::span<const KernelSample> samples, KernelPass pass, int32_t sms,
                     const FitChoices& choices = {});

// |predicted / measured - 1| of each sample.
std::vector<double> relative_errors(std::span<const KernelSample> samples, KernelPass pass,
                                    int32_t sms, const KernelConstants& constants);

}  // namespace cpbench
