// The calls from which a kernel model of this machine's cores is fitted, and their times.
#pragma once

#include "harness/execute/kernel_timing.h"
#include "workloads/measured_calls.h"

namespace cpbench {

// Runs them: about a minute on a quiet machine. Throws UserError for a kernel that cannot do the
// shape.
MeasuredCalls measure_cpu_calls(const std::string& kernel, const AttentionShape& shape);

}  // namespace cpbench
