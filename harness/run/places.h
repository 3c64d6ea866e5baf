// The order of times, as far as they tell: which run is surely faster than which.
//
// Measured times are told apart by their 95% intervals; simulated ones by the mean error of whole
// runs of their kind, because an order inside of that error says nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/run/outcome.h"

namespace cpbench {

struct UncertainTime {
  double seconds = 0;
  double low = 0, high = 0;  // 95% interval of a measurement; both `seconds` if there is none
  double error = 0;          // of the model that simulated it, relative
};

// nullopt for a run without a time, and for a measured one without an interval.
std::optional<UncertainTime> uncertain_time(const Outcome& outcome);

// Whether `a` is faster than `b` by more than what is uncertain: the intervals are apart, and the
// difference is larger than the larger error of the two models.
bool surely_faster(const UncertainTime& a, const UncertainTime& b);

// A place is 1 + the number of others that are surely faster; runs that share one are tied.
struct Place {
  int32_t place = 1;
  bool tied = false;
};
std::vector<Place> places_of(const std::vector<UncertainTime>& times);

}  // namespace cpbench
