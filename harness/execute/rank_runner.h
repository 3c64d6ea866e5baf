// Runs the program of one rank on its own thread: its arena, its bound calls, its clock.
#pragma once

#include <array>
#include <chrono>

#include "harness/execute/bound_program.h"
#include "harness/execute/outputs.h"
#include "harness/execute/run_control.h"

namespace cpbench {

using Clock = std::chrono::steady_clock;
inline constexpr int kActivities = 5;  // of timeline.h

class RankRunner {
 public:
  RankRunner(const Program& program, int32_t rank, const Kernel& kernel, Transport& transport,
             RankPlaces& places);

  void fill_inputs(uint64_t seed);
  // Events are relative to `origin`.
  void iterate(Clock::time_point origin);
  HomeOutputs outputs() const;

  // Of the last iteration.
  double seconds(Activity activity) const { return seconds_[static_cast<size_t>(activity)]; }
  double end_seconds() const { return end_seconds_; }  // from the origin
  double overhead_seconds() const;                     // in none of the activities
  const std::vector<Event>& events() const { return events_; }

 private:
  Activity run(const Op& op);
  int32_t peer_of(const Op& op) const;
  const BoundBuffer& bound(int32_t buffer) const { return bound_.buffers[buffer]; }

  const Program& program_;
  const RankProgram& mine_;
  int32_t rank_;
  const Kernel& kernel_;
  Transport& transport_;
  RankPlaces& places_;
  Arena arena_;
  BoundProgram bound_;
  std::array<double, kActivities> seconds_{};
  double begin_seconds_ = 0;
  double end_seconds_ = 0;
  std::vector<Event> events_;
};

}  // namespace cpbench
