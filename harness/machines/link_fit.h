// Fits latency and bandwidth of a link, or of a library's collective, to timed transfers.
//
//   LinkFit fit = fit_link(samples);
//   fit.link.latency_seconds + bytes / fit.link.bytes_per_second
#pragma once

#include <span>

#include "harness/machines/cluster_model.h"

namespace cpbench {

struct LinkSample {
  double bytes = 0;  // that one rank receives; in a collective of n ranks, n - 1 blocks
  double seconds = 0;
};

struct LinkFit {
  Link link;
  double mean_error = 0;  // |predicted / measured - 1| of transfers that were left out of the fit
  double worst_error = 0;
};

inline constexpr int32_t kLeastLinkSamples = 3;

// Minimises the squares of the relative errors, so that a transfer of 20 us counts as much as one
// of 20 ms. The errors come from cross-validation, as those of kernel models (kernel_fit.h). Throws
// UserError for fewer than kLeastLinkSamples, and if times do not grow with bytes.
LinkFit fit_link(std::span<const LinkSample> samples);

}  // namespace cpbench
