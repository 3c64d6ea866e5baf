// Plan files: a plan with its problem, in one of three forms, which the ending of the name decides.
//   .json  see plan_json.h
//   .h5    groups /problem and /plan (results/SCHEMA.md, "A plan file"); result files are read too
//   .txt   first line `problem {...}` (problem_json), then the text form of the plan (plan_text.h)
//
//   for (const PlannedProblem& p : load_plan_file("plan.json")) check(p.problem, p.plan);
#pragma once

#include <string>
#include <vector>

#include "harness/store/plan_json.h"

namespace cpbench {

// One entry for a plan file, and one per pack for a result file. Throws UserError that begins with
// the path, also for a file that is damaged (safe_read.h). Whether a plan is correct is for the
// checker to say.
std::vector<PlannedProblem> load_plan_file(const std::string& path);

// Writes the file completely or not at all.
void save_plan_file(const std::string& path, const PlannedProblem& planned);

}  // namespace cpbench
