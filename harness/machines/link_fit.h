// Latency and bandwidth of a link, or of a library's collective, from timed transfers.
//
//   LinkFit fit = fit_link(samples);
//   fit.link.latency_seconds + bytes / fit.link.bytes_per_second
#pragma once

#include <span>

#include "harness/machines/cluster_model.h"

namespace cpbench {

struct LinkSample {
  double bytes = 0;  // that a rank receives: of a collective of n ranks n - 1 blocks
  double seconds = 0;
};

struct LinkFit {
  Link link;
  double mean_error = 0;  // |fitted / measured - 1|
  double worst_error = 0;
};

inline constexpr int32_t kLeastLinkSamples = 3;

// By least squares of the relative errors: a transfer of 20 us must be as right as one of 20 ms.
// Throws UserError for fewer than kLeastLinkSamples, and where times do not grow with bytes.
LinkFit fit_link(std::span<const LinkSample> samples);

}  // namespace cpbench
