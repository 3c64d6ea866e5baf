// Runs the program of one rank, on the thread that calls it, and measures where the time goes.
//
//   RankRunner runner(program, rank, kernel, transport, listener);
//   runner.fill_inputs(seed);
//   runner.iterate(Clock::now());
//   runner.end_seconds();   // from the origin to the end of the iteration
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "harness/execute/bound_program.h"
#include "harness/execute/host_layer.h"
#include "harness/execute/outputs.h"
#include "harness/execute/run_control.h"

namespace cpbench {

using Clock = std::chrono::steady_clock;
inline constexpr int kActivities = 6;  // of timeline.h, which a rank spends its time in

class RankRunner {
 public:
  RankRunner(const Program& program, int32_t rank, const Kernel& kernel, Transport& transport,
             ProgressListener& listener);

  void fill_inputs(uint64_t seed);
  // Runs one iteration, in which only a portion takes time. Times of events are relative to
  // `origin`.
  void iterate(Clock::time_point origin, Portion portion = Portion::whole);
  int32_t rank() const { return rank_; }
  HomeOutputs outputs() const;

  // The times of the last iteration.
  double seconds(Activity activity) const { return seconds_[static_cast<size_t>(activity)]; }
  double end_seconds() const { return end_seconds_; }  // from the origin
  double overhead_seconds() const;                     // outside all activities
  const std::vector<Event>& events() const { return events_; }

 private:
  // Calls work(), which returns what it did, and adds the time to that of this activity.
  template <typename Work>
  void measure(int32_t pass, int32_t step, int32_t waiting_for, const Work& work);
  void run_layer(int32_t pass, int32_t step, const std::vector<LayerOp>& ops, Portion portion);
  Activity run(const Op& op, Portion portion);
  Activity work(const Op& op);
  int32_t peer_of(const Op& op) const;
  double now() const;  // from the origin
  const BoundBuffer& bound(int32_t buffer) const { return bound_.buffers[buffer]; }

  const Program& program_;
  const RankProgram& mine_;
  int32_t rank_;
  const Kernel& kernel_;
  Transport& transport_;
  ProgressListener& listener_;
  Arena arena_;
  BoundProgram bound_;
  std::optional<HostLayer> layer_;             // if the shape has one
  std::vector<double> sinks_, sink_gradient_;  // [query heads]; empty without
  std::array<double, kActivities> seconds_{};
  Clock::time_point origin_;
  double begin_seconds_ = 0;
  double end_seconds_ = 0;
  std::vector<Event> events_;
};

}  // namespace cpbench
