#include <cstdlib>

#include "harness/execute/execute.h"
#include "harness/execute/module.h"
#include "harness/execute/wire.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Of Open MPI, of the PMI that MPICH and Intel MPI speak, of PMIx, and of srun.
constexpr const char* kRankNames[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK",
                                      "SLURM_PROCID"};

}  // namespace

std::optional<int32_t> launched_rank() {
  for (const char* name : kRankNames) {
    if (const char* rank = std::getenv(name)) return std::atoi(rank);
  }
  return std::nullopt;
}

std::unique_ptr<Wire> open_wire() {
  const std::string file = module_file(kWireModule);
  if (file.empty()) {
    throw UserError(
        "this cpbench was built without MPI: install libopenmpi-dev and openmpi-bin, as "
        "scripts/setup "
        "does, and build again");
  }
  const auto open =
      reinterpret_cast<OpenWireFunction*>(module_function(file, kWireFunction, true));
  return std::unique_ptr<Wire>(open(ExecuteOptions().timeout_seconds));
}

}  // namespace cpbench
