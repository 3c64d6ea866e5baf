// What a simulated cell is costed by, and the simulation of one of its packs.
#pragma once

#include <string>

#include "harness/cost/kernel_time.h"
#include "harness/cost/machine.h"
#include "harness/cost/profile.h"
#include "harness/measure/result.h"

namespace cpbench {

struct CostModel {
  Machine machine;
  KernelModel kernel;  // scaled to the machine's GPU
  Profile profile;
};

// Throws UserError for a name or file that is gone or bad.
CostModel cost_model_of(const Cell& cell);

// "kernel fa2_h100: forward within 2.7% on average, 8.1% at worst; ...": one line for people.
std::string error_text(const CostModel& model);

// Of all numbers in the model, in 16 hex digits: results of another one are not the same run.
std::string fingerprint(const CostModel& model);

// Fills in compile time and timeline of a pack that has its plan.
void simulate_pack(const Cell& cell, const CostModel& model, const Problem& problem,
                   PackResult& pack);

}  // namespace cpbench
