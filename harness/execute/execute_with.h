// The threads executor with a given kernel and transport, for tests and benchmarks.
#pragma once

#include "harness/execute/execute.h"
#include "harness/execute/kernel.h"
#include "harness/execute/transport.h"

namespace cpbench {

// Like execute_threads, but does not read `options.kernel`. Counts what the transport moves, and
// closes it if the run fails.
Timeline execute_with(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel, Transport& transport);

}  // namespace cpbench
