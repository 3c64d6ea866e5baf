// Measured calls to which a kernel model of this machine's cores or GPU is fitted.
#pragma once

#include <string>
#include <vector>

#include "harness/execute/kernel_timing.h"
#include "harness/machines/measured_calls.h"

namespace cpbench {

// These run the calls, which takes about a minute. They throw UserError for a kernel that does not
// support the shape.
MeasuredCalls measure_cpu_calls(const std::string& kernel, const AttentionShape& shape);
MeasuredCalls measure_gpu_calls(const std::string& kernel, const AttentionShape& shape);

// The calls of measure_gpu_calls, without their times.
std::vector<TimedCall> gpu_calibration_calls(const AttentionShape& shape);

}  // namespace cpbench
