// The calls from which a kernel model of this machine's cores or GPU is fitted, and their times.
#pragma once

#include <string>

#include "harness/machines/measured_calls.h"

namespace cpbench {

// Run them: about a minute on a quiet core, or on a GPU. Throw UserError for a kernel that cannot
// do the shape.
MeasuredCalls measure_cpu_calls(const std::string& kernel, const AttentionShape& shape);
MeasuredCalls measure_gpu_calls(const std::string& kernel, const AttentionShape& shape);

}  // namespace cpbench
