// Cells of the backends that use GPUs: what they need of this machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/execute/execute_gpus.h"
#include "harness/execute/place_ranks.h"
#include "harness/measure/result.h"

namespace cpbench {

// Puts in what kernel "auto" stands for on the GPUs here. Throws UserError where a cell needs GPUs
// and there are none, or too few for a process that is alone.
void prepare_for_gpus(std::vector<Cell>& cells);

// Whether a launcher (torchrun, srun, mpirun) has started this process beside others.
bool launched_for_gpus();
GpusOfProcess gpus_of_this_process();

// The cell's ranks that this process runs, on its GPUs: all without a group, else inside a work of
// it.
RanksHere ranks_here(const Cell& cell, ProcessGroup* group);

// Dense bf16 peak of the GPUs here, by the shipped cluster that has them; 0: none has.
double gpu_peak_flops_per_second();

// Versions and model of the GPUs, for provenance.
std::map<std::string, std::string> gpu_facts();

}  // namespace cpbench
