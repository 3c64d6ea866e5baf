// The wire over TCPStore, the server by which LibTorch's processes meet: for processes without MPI.
//
//   const auto launch = launch_environment();
//   const std::unique_ptr<Wire> wire = open_store_wire(*launch, timeout_seconds);
//
// A rank of this wire is a process. Process 0 serves the store, unless torchrun does. Messages are
// for words and reports: each costs about 60 us, and passes through the server's node.
#pragma once

#include <memory>

#include "harness/execute/processes/launch_environment.h"
#include "harness/execute/processes/wire.h"

namespace cpbench {

// Returns when all processes have come. Throws UserError on each that did, within the timeout or
// soon after: the port is taken, nobody listens, a process did not come or is of another run.
std::unique_ptr<Wire> open_store_wire(const LaunchEnvironment& launch, double timeout_seconds);

}  // namespace cpbench
