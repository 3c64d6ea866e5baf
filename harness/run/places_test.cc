#include "harness/run/places.h"

#include <gtest/gtest.h>

#include "harness/machines/whole_runs.h"

namespace cpbench {
namespace {

UncertainTime measured(double low, double seconds, double high) { return {seconds, low, high, 0}; }
UncertainTime simulated(double seconds, double error) { return {seconds, seconds, seconds, error}; }

std::vector<std::pair<int, bool>> places(const std::vector<UncertainTime>& times) {
  std::vector<std::pair<int, bool>> found;
  for (const Place& place : places_of(times)) found.emplace_back(place.place, place.tied);
  return found;
}
using Expected = std::vector<std::pair<int, bool>>;

TEST(Places, measured_times_are_told_apart_by_their_intervals) {
  EXPECT_EQ(places({measured(4, 5, 6), measured(1, 2, 3), measured(2.5, 3, 3.5)}),
            (Expected{{3, false}, {1, true}, {1, true}}));
}

TEST(Places, simulated_times_are_told_apart_by_the_larger_error) {
  EXPECT_TRUE(surely_faster(simulated(1, 0.05), simulated(1.1, 0.05)));
  EXPECT_FALSE(surely_faster(simulated(1, 0.05), simulated(1.1, 0.2)));
  EXPECT_FALSE(surely_faster(simulated(1.1, 0.05), simulated(1, 0.05)));
  EXPECT_EQ(places({simulated(1, 0.1), simulated(1.09, 0.1), simulated(1.15, 0.1)}),
            (Expected{{1, true}, {1, true}, {2, false}}));
}

TEST(Places, of_a_run_alone_and_of_none) {
  EXPECT_EQ(places({simulated(1, 0.1)}), (Expected{{1, false}}));
  EXPECT_EQ(places({}), Expected{});
}

Outcome outcome_with(Status status, bool is_simulated, bool has_interval) {
  Outcome outcome;
  outcome.status = status;
  outcome.simulated = is_simulated;
  outcome.model_error = "kernel fa3_h100; whole runs of kind ring on documents: mean error 21%, ";
  outcome.metrics = {{"iteration_seconds", 2, "s", "lower", "", 1}};
  if (has_interval) {
    outcome.metrics.push_back({"iteration_seconds_low", 1, "s", "none", "", 1});
    outcome.metrics.push_back({"iteration_seconds_high", 3, "s", "none", "", 1});
  }
  return outcome;
}

TEST(Places, a_time_is_uncertain_by_its_interval_or_its_model) {
  const auto run = uncertain_time(outcome_with(Status::ok, false, true));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->low, 1);
  EXPECT_EQ(run->high, 3);
  EXPECT_EQ(run->error, 0);
  const auto model = uncertain_time(outcome_with(Status::ok, true, false));
  ASSERT_TRUE(model);
  EXPECT_EQ(model->low, 2);
  EXPECT_EQ(model->error, 0.21);
  EXPECT_FALSE(uncertain_time(outcome_with(Status::ok, false, false)));
  EXPECT_FALSE(uncertain_time(outcome_with(Status::oom, true, false)));
}

TEST(Places, a_kind_that_was_never_published_has_the_largest_error) {
  const double unknown = mean_error_of("no published run of fcp");
  EXPECT_GT(unknown, 0.05);
  EXPECT_LT(unknown, 1);
}

}  // namespace
}  // namespace cpbench
