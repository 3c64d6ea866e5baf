#include "harness/machines/link_fit.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/cost/kernel_fit.h"
#include "harness/cost/least_squares.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Seconds of latency, and for each byte.
std::vector<double> fitted(std::span<const LinkSample> samples) {
  std::vector<std::vector<double>> rows;
  for (const LinkSample& s : samples) rows.push_back({1 / s.seconds, s.bytes / s.seconds});
  return non_negative_least_squares(rows, std::vector<double>(samples.size(), 1));
}

}  // namespace

LinkFit fit_link(std::span<const LinkSample> samples) {
  if (std::ssize(samples) < kLeastLinkSamples) {
    throw UserError("a link fit requires at least " + std::to_string(kLeastLinkSamples) +
                    " transfers, but there are " + std::to_string(samples.size()));
  }
  const std::vector<double> found = fitted(samples);
  if (found[1] <= 0) throw UserError("the times of the transfers do not grow with their bytes");
  LinkFit fit{.link = {found[0], 1 / found[1]}};
  for (size_t fold = 0; fold < std::min<size_t>(kFolds, samples.size()); ++fold) {
    std::vector<LinkSample> others, left_out;
    for (size_t i = 0; i < samples.size(); ++i) {
      (i % kFolds == fold ? left_out : others).push_back(samples[i]);
    }
    const std::vector<double> without = fitted(others);
    for (const LinkSample& s : left_out) {
      const double error = std::abs((without[0] + without[1] * s.bytes) / s.seconds - 1);
      fit.mean_error += error / static_cast<double>(samples.size());
      fit.worst_error = std::max(fit.worst_error, error);
    }
  }
  return fit;
}

}  // namespace cpbench
