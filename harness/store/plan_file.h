// Plan files: a plan with the problem it is for, in one of three forms, told by the ending.
//   .json  see plan_json.h
//   .h5    groups /problem and /plan (results/SCHEMA.md, "A plan file"); result files serve too
//   .txt   first line `problem {...}` (problem_json), then the plan's text form (plan_text.h)
//
//   for (const PlannedProblem& p : load_plan_file("plan.json")) check(p.problem, p.plan);
#pragma once

#include <string>
#include <vector>

#include "harness/store/plan_json.h"

namespace cpbench {

// One entry for a plan file; one per pack for a result file. Throws UserError that begins with the
// path. Whether a plan is correct is the checker's matter.
std::vector<PlannedProblem> load_plan_file(const std::string& path);

// Whole or not at all.
void save_plan_file(const std::string& path, const PlannedProblem& planned);

}  // namespace cpbench
