// Times kernel calls and row operations on the current GPU, one at a time.
#pragma once

#include <span>
#include <vector>

#include "harness/execute/gpus/gpu.h"
#include "harness/execute_cuda/gpu_kernel.h"

namespace cpbench {

// The methods of Gpus (gpu.h) describe what these return.
std::vector<double> replay_program(const AttentionShape& shape, const RankProgram& program,
                                   const GpuKernel& kernel, const ReplayOptions& options);
void time_gpu_calls(const GpuKernel& kernel, const AttentionShape& shape,
                    std::span<TimedCall> calls);
RowRates measure_gpu_row_rates(const AttentionShape& shape, int64_t rows);
double measure_launch_seconds();

}  // namespace cpbench
