// One job to its result: plan, check, compile, run or simulate, metrics, gates.
#pragma once

#include <string>
#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/processes/place_ranks.h"
#include "harness/execute/processes/process_group.h"
#include "harness/measure/result.h"
#include "harness/run/job.h"

namespace cpbench {

inline constexpr double kPlanSeconds = 300;  // planners with solvers need minutes

// Makes and checks the plan of one pack; `report` says whether it is correct. The summary and the
// properties are filled in only when it is. Throws Unsupported, UserError for an external planner
// or a solver, and DidNotEnd if one of them, or the check, takes longer than the timeout.
struct CheckedPlan {
  PackResult pack;
  CheckReport report;
};
CheckedPlan plan_pack(const Job& job, const Problem& problem,
                      double timeout_seconds = kPlanSeconds);

struct RunContext {
  std::vector<std::string> command_line{};
  ProcessGroup* group = nullptr;      // of a job that several processes run
  std::vector<GpusOfProcess> gpus{};  // by process of the group; none over MPI
  double timeout_seconds =
      ExecuteOptions().timeout_seconds;  // without progress of any rank, or of planning
};

// Never throws for what the run itself does: a strategy that does not support the problem, a wrong
// plan, a rank that hangs and a gate that fails are statuses of the result, with one line that says
// why. A job that needs processes needs their group, and every other one in `follow_job`;
// RanksDisagree is thrown.
Result run_job(const Job& job, const RunContext& context);

// This process's part of a job that process 0 runs.
void follow_job(const Job& job, const RunContext& context);

}  // namespace cpbench
