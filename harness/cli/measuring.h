// How to measure what was simulated: the same runs on GPUs.
#pragma once

#include <string>
#include <vector>

#include "harness/spec/run_spec.h"

namespace cpbench {

// "cpbench run --strategy ... --backend nccl", behind srun where there are several nodes.
std::string measuring_command(const RunSpec& spec);

// A suite of such runs, which have one problem.
std::string measuring_suite(const std::vector<RunSpec>& specs);

}  // namespace cpbench
