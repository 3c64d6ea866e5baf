// What one rank measured, and how the reports of all ranks make a timeline: the same for ranks that
// are threads, processes or GPUs.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/rank_runner.h"

namespace cpbench {

struct RankReport {
  std::vector<double> seconds, attention_seconds, overhead_seconds;  // [iterations]
  std::vector<double> clock_share;                                   // [iterations], or empty
  std::vector<int64_t> bytes_sent, messages;                         // [ranks], by receiver
  std::vector<Event> events;
  Accuracy accuracy;                  // only the errors
  std::vector<double> weight_checks;  // of the layer around the attention, if there is one
  uint64_t output_hash = 0;
  int64_t peak_bytes = 0;  // 0: as planned by the program
  PortionTimes portions;   // [portion_iterations]

  void add_sample(const RankRunner& runner);  // of the iteration that has just run
  // Of an iteration in which only work took time, and a trace of one.
  void add_work(double work_seconds, double overhead, std::span<const Event> trace);
  void verify(const HomeOutputs& outputs, const Reference& reference);  // sets errors and hash
};

// How often each portion of a program is measured. Few are enough, because they say how the time of
// the samples is divided, not how long it is.
int32_t portion_iterations(const ExecuteOptions& options);

// Measures one rank on a CPU. `iterate` runs one iteration of the runner, together with all other
// ranks.
RankReport measure_rank(RankRunner& runner, CountingTransport& transport,
                        const Reference& reference, const ExecuteOptions& options,
                        const std::function<void(Portion portion)>& iterate);

// Throws UserError or logic_error if no rank could run this program.
void require_runnable(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel);

// Makes a timeline of what ranks report.
class Reports {
 public:
  Reports(const Program& program, const ExecuteOptions& options, const Reference& reference);

  // To be called in the order of the ranks, which orders the events.
  void add(const RankReport& report, int32_t rank);
  int32_t ranks() const { return timeline_.ranks; }

  // The gradients of weights are verified if all ranks have reported.
  Timeline timeline();

 private:
  const Reference& reference_;
  Timeline timeline_;
  int32_t reported_ = 0;
  std::vector<double> weight_checks_;  // sums over ranks
};

}  // namespace cpbench
