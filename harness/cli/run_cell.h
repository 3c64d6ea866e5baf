// One cell, from its words to its result: packs, plan, check, compile, run, metrics, gates.
#pragma once

#include <string>
#include <vector>

#include "harness/measure/result.h"

namespace cpbench {

// The packs that the cell's workload gives, with its mask. Throws UserError.
std::vector<Batch> batches_of(const Cell& cell);

// The cluster is the cell's, of as many nodes; without one its costs are unknown.
Problem problem_of(const Cell& cell, const Batch& batch);

// Makes and checks the plan of one pack; `report` says whether it is correct. The facts are filled
// in only when it is. Throws Unsupported, or UserError for an external planner.
struct CheckedPlan {
  PackResult pack;
  CheckReport report;
};
CheckedPlan plan_pack(const Cell& cell, const Batch& batch);

// Never throws for what the cell itself does: a strategy that cannot, a wrong plan, a rank that
// hangs and a gate that fails are statuses of the result, with one line that says why.
Result run_cell(const Cell& cell, const std::vector<Batch>& batches,
                const std::vector<std::string>& command_line);

int32_t usable_cores();

}  // namespace cpbench
