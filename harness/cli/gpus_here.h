// The GPUs of this machine, for the backends that use them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/execute/execute_gpus.h"
#include "harness/measure/result.h"

namespace cpbench {

// Puts in what kernel "auto" stands for on the GPUs here. Throws UserError where a cell needs GPUs
// and there are none, or too few.
void prepare_for_gpus(std::vector<Cell>& cells);

// All ranks of the cell on this process's GPUs.
RanksHere ranks_here(const Cell& cell);

// Dense bf16 peak of the GPUs here, by the preset of their model; 0: unknown.
double gpu_peak_flops_per_second();

// Versions and model of the GPUs, for provenance.
std::map<std::string, std::string> gpu_facts();

}  // namespace cpbench
