// The backends `simulate` and `replay`: a pack's program on the cluster of the job, its kernel
// calls and copies timed by models, or as a GPU of this machine runs them one rank after another.
#pragma once

#include <string>

#include "harness/measure/result.h"
#include "harness/run/job.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// Fills in the timeline and the times of compiling and simulating; the plan is there and correct.
// Throws DoesNotFit, with the estimate, if that needs more memory than there is.
void simulate_pack(const Job& job, const Problem& problem, PackResult& pack);

// What that simulation runs: the program of the plan with the models' times.
Schedule schedule_of(const Job& job, const Problem& problem, const Plan& plan);

// For people: which models, and how far simulated times of such runs are off from published ones.
std::string model_error(const Job& job);

// Every number of the job's models that a plan or a time follows from, without names and sources.
std::string model_text(const Job& job);

}  // namespace cpbench
