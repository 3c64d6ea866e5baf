// The backends `simulate` and `replay`: a pack's program costed on the cell's cluster, its kernel
// calls and copies by models, or as a GPU of this machine runs them one rank after another.
#pragma once

#include <string>

#include "harness/cost/kernel_time.h"
#include "harness/cost/machine.h"
#include "harness/cost/profile.h"
#include "harness/measure/result.h"
#include "harness/simulate/simulate.h"

namespace cpbench {

// What the cell's names stand for. Throws UserError.
class Simulation {
 public:
  explicit Simulation(const Cell& cell);

  // Fills in the timeline and the compile time; the plan is there and correct.
  void run(const Problem& problem, Passes passes, PackResult& pack) const;
  // For people: which models, and how far they are off.
  std::string model_error() const;
  // Of all numbers that a time follows from, in 16 hex digits.
  std::string fingerprint() const;
  double peak_flops_per_second() const { return machine_.cluster.peak_flops_per_second; }

 private:
  // Seconds of the program's operations on the GPU here; none where models say them.
  std::vector<double> replay(const AttentionShape& shape, const RankProgram& program) const;
  std::string facts_text() const;

  Machine machine_;
  Profile profile_;
  std::string replayed_;  // kernel that is timed on a GPU here; "": by the model
  int32_t iterations_;
  KernelModel kernel_;
  NetworkModel network_;
};

}  // namespace cpbench
