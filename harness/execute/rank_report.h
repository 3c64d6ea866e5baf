// What one rank measured, and the timeline that all of them make: the same for ranks that are
// threads, processes or GPUs.
#pragma once

#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/rank_runner.h"

namespace cpbench {

struct RankReport {
  std::vector<double> seconds, attention_seconds, overhead_seconds;  // [iterations]
  std::vector<double> clock_share;                                   // [iterations], or empty
  std::vector<int64_t> bytes_sent, messages;                         // [ranks], by receiver
  std::vector<Event> events;
  Accuracy accuracy;  // the errors
  uint64_t output_hash = 0;
  int64_t peak_bytes = 0;  // 0: what its program plans

  void add_sample(const RankRunner& runner);  // the iteration it has just run
};

// Throws UserError or logic_error for what no rank could run.
void require_runnable(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel);

// Tolerances and planned memory; no rank has reported.
Timeline empty_timeline(const Program& program, const ExecuteOptions& options,
                        const Reference& reference);

// Adds a rank; in the order of ranks, so that events stand in it.
void add(const RankReport& report, int32_t rank, Timeline& timeline);

}  // namespace cpbench
