// Jobs of the backends that use GPUs: what they need of this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/execute/gpus/execute_gpus.h"
#include "harness/execute/processes/place_ranks.h"
#include "harness/run/job.h"
#include "harness/run/local_launch.h"

namespace cpbench {

// Puts in what kernel "auto" stands for on the GPUs here, and on which GPUs replayed times depend.
// Throws UserError where a job needs GPUs and there are none, or too few for one process.
void prepare_for_gpus(std::vector<Job>& jobs);

// Starts a process per GPU if several GPUs run a job and no launcher has started this process. The
// jobs over NCCL are then run by them together. To be called after prepare_for_gpus.
std::unique_ptr<LocalLaunch> launch_process_per_gpu(std::vector<Job>& jobs,
                                                    const std::vector<std::string>& command_line);

GpusOfProcess gpus_of_this_process();

// All ranks of the job on the GPUs of this process, several on one if need be.
RanksOfProcess all_ranks_here(const Job& job);

// Dense bf16 peak of the GPUs here, by the shipped cluster that has them; 0: none has.
double gpu_peak_flops_per_second();

}  // namespace cpbench
