// Runs the cells of a suite; each leaves one result file when it is finished. Plans and simulations
// run beside each other, one per core; what is measured runs alone. Outcomes are in the order of
// the cells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/cli/outcome.h"
#include "harness/cli/processes.h"

namespace cpbench {

struct SweepOptions {
  std::string folder;                     // of the result files; made if need be
  std::vector<std::string> command_line;  // resumes the sweep when it is given again
  Processes* processes = nullptr;         // for cells that several processes run
  double timeout_seconds = ExecuteOptions().timeout_seconds;  // of a cell, without progress
};

// Cells whose file is there already, of the same run and not failed, are not run again. What one
// cell does never ends the sweep; a file that cannot be written does (UserError).
std::vector<Outcome> run_sweep(const std::vector<Cell>& cells, const SweepOptions& options);

// Plans and checks every cell, runs and writes nothing.
std::vector<Outcome> dry_run(const std::vector<Cell>& cells, const SweepOptions& options);

// Of the cells that do not exist yet; rough: half a core's peak on every usable core.
double estimated_seconds(const std::vector<Outcome>& outcomes);

std::string result_path(const Cell& cell, const std::string& folder);

}  // namespace cpbench
