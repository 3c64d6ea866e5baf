#include "harness/run/places.h"

#include <algorithm>

#include "harness/machines/whole_runs.h"

namespace cpbench {

std::optional<UncertainTime> uncertain_time(const Outcome& outcome) {
  const double* seconds = outcome.metric("iteration_seconds");
  if (outcome.status != Status::ok || seconds == nullptr) return std::nullopt;
  if (outcome.simulated) {
    return UncertainTime{*seconds, *seconds, *seconds, mean_error_of(outcome.model_error)};
  }
  const double* low = outcome.metric("iteration_seconds_low");
  const double* high = outcome.metric("iteration_seconds_high");
  if (low == nullptr || high == nullptr) return std::nullopt;
  return UncertainTime{*seconds, *low, *high, 0};
}

bool surely_faster(const UncertainTime& a, const UncertainTime& b) {
  return a.high < b.low && b.seconds > a.seconds * (1 + std::max(a.error, b.error));
}

std::vector<Place> places_of(const std::vector<UncertainTime>& times) {
  std::vector<Place> places(times.size());
  for (size_t i = 0; i < times.size(); ++i) {
    places[i].place += static_cast<int32_t>(std::ranges::count_if(
        times, [&](const UncertainTime& other) { return surely_faster(other, times[i]); }));
  }
  for (size_t i = 0; i < times.size(); ++i) {
    for (size_t j = 0; j < times.size() && !places[i].tied; ++j) {
      places[i].tied = i != j && places[i].place == places[j].place;
    }
  }
  return places;
}

}  // namespace cpbench
