// One cell, from its words to its result: packs, plan, check, compile, run, metrics, gates.
#pragma once

#include <string>
#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/process_group.h"
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
// hangs and a gate that fails are statuses of the result, with one line that says why. A cell that
// needs processes needs their group, and every other one in `follow_cell`; RanksDisagree is thrown.
struct RunContext {
  std::vector<std::string> command_line{};
  ProcessGroup* group = nullptr;
  double timeout_seconds = ExecuteOptions().timeout_seconds;  // without progress of any rank
};
Result run_cell(const Cell& cell, const std::vector<Batch>& batches, const RunContext& context);

// This process's part of a cell that process 0 runs.
void follow_cell(const Cell& cell, const RunContext& context);

// Whether the backend runs kernels and measures time, and whether several processes run the cell.
bool is_timed(const Cell& cell);
bool needs_processes(const Cell& cell);

int32_t usable_cores();

}  // namespace cpbench
