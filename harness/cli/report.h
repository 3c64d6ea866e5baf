// Outcomes of a sweep as text.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/job.h"
#include "harness/run/outcome.h"

namespace cpbench {

// The strategy that ratios refer to: `wanted`, else allgather, else the first. Throws UserError if
// `wanted` is not there.
std::string baseline_of(const std::vector<RunSpec>& specs, const std::string& wanted);
std::string baseline_of(const std::vector<Job>& jobs, const std::string& wanted);

// The table for people (columns that vary, short numbers, ratio to the baseline), or everything as
// CSV or JSON.
std::string report(const std::vector<Outcome>& outcomes, const std::string& baseline,
                   Format format);

}  // namespace cpbench
