#include "harness/machines/link_fit.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/cost/least_squares.h"
#include "harness/plan/errors.h"

namespace cpbench {

LinkFit fit_link(std::span<const LinkSample> samples) {
  if (std::ssize(samples) < kLeastLinkSamples) {
    throw UserError("a link fit requires at least " + std::to_string(kLeastLinkSamples) +
                    " transfers, but there are " + std::to_string(samples.size()));
  }
  std::vector<std::vector<double>> rows;
  for (const LinkSample& s : samples) rows.push_back({1 / s.seconds, s.bytes / s.seconds});
  const std::vector<double> found =
      non_negative_least_squares(rows, std::vector<double>(samples.size(), 1));
  if (found[1] <= 0) throw UserError("the times of the transfers do not grow with their bytes");
  LinkFit fit{.link = {found[0], 1 / found[1]}};
  for (const LinkSample& s : samples) {
    const double error = std::abs((found[0] + found[1] * s.bytes) / s.seconds - 1);
    fit.mean_error += error / static_cast<double>(samples.size());
    fit.worst_error = std::max(fit.worst_error, error);
  }
  return fit;
}

}  // namespace cpbench
