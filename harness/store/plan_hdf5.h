// A Problem and a Plan as HDF5 groups of plain columns (results/SCHEMA.md, "One pack").
#pragma once

#include <string>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/store/hdf5_file.h"

namespace cpbench {

// The group must not exist yet; its parent must.
void write_problem(Hdf5Writer& file, const std::string& group, const Problem& problem);
void write_plan(Hdf5Writer& file, const std::string& group, const Plan& plan);

// Throw UserError for what is missing, has another type or shape, or does not fit its field. The
// plan's hash is compared with the stored one, if one is stored. Whether the plan is correct is for
// the checker to say.
Problem read_problem(const Hdf5Reader& file, const std::string& group);
Plan read_plan(const Hdf5Reader& file, const std::string& group);

}  // namespace cpbench
