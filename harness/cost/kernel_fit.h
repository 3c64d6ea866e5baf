// Fits the constants of a kernel model to measured calls.
//
//   std::vector<KernelSample> samples = ...;   // one per measured call
//   KernelFit fit = fit_kernel(samples, KernelPass::forward, 132);
//   fit.constants.block_us, fit.constants.mean_error
//
// The constants are non-negative and minimise the squares of the relative errors (least_squares.h),
// because a call of 20 us must be as accurate as one of 20 ms. The errors come from
// cross-validation: each call is predicted by constants, and by tile and block sizes, that were
// fitted to the other calls.
#pragma once

#include <span>

#include "harness/cost/kernel_time.h"

namespace cpbench {

struct KernelSample {
  std::vector<AttentionSegment> segments;
  int32_t query_heads = 1;
  double seconds = 0;  // measured, > 0
};

// What a fit may choose from. Of equally good fits, the first tile, block and slowdown win. A
// padded kernel has no cost per segment. A kernel that does not pad has no grid, no SMs that wait
// for the last one, and no power limit.
struct FitChoices {
  std::vector<int32_t> tile_tokens = {kTileTokens};
  std::vector<int32_t> block_tokens = {128, 64};
  bool padded = true;
};

struct KernelFit {
  KernelConstants constants;     // with the errors of the cross-validation
  double fitted_mean_error = 0;  // relative, on the calls that it was fitted to
  double fitted_worst_error = 0;
  int32_t samples = 0;
  bool empty_blocks = false;  // whether a call had any; if not, empty_block_us is 0, not measured
};

inline constexpr int32_t kFolds = 5;
// With fewer samples, a fold would leave fewer calls than a kernel has constants that matter: call,
// tile, block.
inline constexpr int32_t kLeastSamples = 6;

// `sms` is the number of SMs that ran the calls. All calls must have one head size. Throws
// UserError if there are fewer than kLeastSamples.
KernelFit fit_kernel(std::span<const KernelSample> samples, KernelPass pass, int32_t sms,
                     const FitChoices& choices = {});

// |predicted / measured - 1| of each sample.
std::vector<double> relative_errors(std::span<const KernelSample> samples, KernelPass pass,
                                    int32_t sms, const KernelConstants& constants);

}  // namespace cpbench
