// Runs the jobs of a suite; each leaves one result file when it is finished. Plans and simulations
// run at the same time, one per core; what is measured runs by itself. Outcomes are in the order of
// the jobs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/run/interrupt.h"
#include "harness/run/outcome.h"
#include "harness/run/processes.h"

namespace cpbench {

struct SweepOptions {
  std::string folder;                     // of the result files; made if need be
  std::vector<std::string> command_line;  // resumes the sweep when it is given again
  Processes* processes = nullptr;         // for jobs that several processes run
  std::string label{};                    // before each line of progress
  double later_work = 0;                  // of sweeps that follow, which the time left includes
  bool quiet = false;                     // says nothing of runs that are not ok
  double timeout_seconds = ExecuteOptions().timeout_seconds;  // of a run, without progress
};

// Runs whose file is there already, and did not fail, are not run again. What one run does never
// ends the sweep; a file that cannot be written does (UserError).
std::vector<Outcome> run_sweep(const std::vector<Job>& jobs, const SweepOptions& options,
                               Interrupt& interrupt);

// What a run costs relative to others of its sweep, in the unit of SweepOptions::later_work:
// planning and simulating grow with tokens and ranks, running with tokens and iterations, so the
// time left counts large runs for more. However small a plan or a simulation is, its file takes as
// long as 2e7 tokens times ranks.
double expected_work(const Job& job);

// What the jobs without a file in the folder cost.
double unfinished_work(const std::vector<Job>& jobs, const std::string& folder);

// "resume with: cpbench run quick": what a signal says while no sweep runs.
std::string resume_text(const std::vector<std::string>& command_line);

// Plans and checks every job, runs and writes nothing.
std::vector<Outcome> dry_run(const std::vector<Job>& jobs, const SweepOptions& options);

// Of the runs that do not exist yet; rough: planning as it took in the dry run, what simulations
// will take at least, and the rest at half the peak of the usable cores, or of the GPUs.
struct Estimate {
  double seconds = 0;
  int64_t unknown_runs = 0;  // on GPUs, where there is none here that a shipped cluster has
};
Estimate estimate(const std::vector<Outcome>& outcomes);

}  // namespace cpbench
