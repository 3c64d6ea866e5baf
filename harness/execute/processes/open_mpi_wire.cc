#include "harness/execute/execute.h"
#include "harness/execute/module.h"
#include "harness/execute/processes/wire.h"

namespace cpbench {

std::unique_ptr<Wire> open_mpi_wire() {
  void* open = module_function({.file = kWireModule,
                                .function = kWireFunction,
                                .feature = "MPI",
                                .requirements = "libopenmpi-dev and openmpi-bin (scripts/setup)",
                                .binding = RTLD_NOW | RTLD_GLOBAL});
  return std::unique_ptr<Wire>(
      reinterpret_cast<OpenWireFunction*>(open)(ExecuteOptions().timeout_seconds));
}

}  // namespace cpbench
