// The threads executor with a kernel and a transport of one's own.
#pragma once

#include "harness/execute/execute.h"
#include "harness/execute/kernel.h"
#include "harness/execute/transport.h"

namespace cpbench {

// As execute_threads; `options.kernel` is not read. The transport is counted, and closed if the
// run fails.
Timeline execute_with(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel, Transport& transport);

}  // namespace cpbench
