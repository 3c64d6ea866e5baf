#include "harness/execute/execute.h"
#include "harness/execute/module.h"
#include "harness/execute/processes/wire.h"
#include "harness/plan/errors.h"

namespace cpbench {

std::unique_ptr<Wire> open_mpi_wire() {
  const std::string file = module_file(kWireModule);
  if (file.empty()) {
    throw UserError(
        "this cpbench was built without MPI: install libopenmpi-dev and openmpi-bin, as "
        "scripts/setup does, and build again");
  }
  const auto open = reinterpret_cast<OpenWireFunction*>(module_function(file, kWireFunction, true));
  return std::unique_ptr<Wire>(open(ExecuteOptions().timeout_seconds));
}

}  // namespace cpbench
