// The wire over TCPStore, the server through which LibTorch's processes meet. It needs no MPI.
//
//   const auto launch = launch_environment();
//   const std::unique_ptr<Wire> wire = open_store_wire(*launch, timeout_seconds);
//
// A rank of this wire is a process. Process 0 serves the store unless torchrun does. A message
// takes about 60 us and passes through the server's node, so it is for commands and reports, not
// for tensors.
#pragma once

#include <memory>

#include "harness/execute/processes/launch_environment.h"
#include "harness/execute/processes/wire.h"

namespace cpbench {

// Returns when all processes have connected. Otherwise throws UserError on each process, within the
// timeout or soon after: the port is taken, nothing listens, or a process is missing or belongs to
// another run.
std::unique_ptr<Wire> open_store_wire(const LaunchEnvironment& launch, double timeout_seconds);

// What the module of harness/execute_torch exports.
inline constexpr const char* kStoreWireFunction = "cpbench_open_store_wire";
using OpenStoreWireFunction = Wire*(const LaunchEnvironment& launch, double timeout_seconds);

}  // namespace cpbench
