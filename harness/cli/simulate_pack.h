// The backend `simulate`: a pack's program costed on the cell's cluster.
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
  Machine machine_;
  Profile profile_;
  KernelModel kernel_;
  NetworkModel network_;
};

}  // namespace cpbench
