#include "harness/run/backends.h"

#include <algorithm>

#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/presets.h"

namespace cpbench {

const std::vector<Backend>& backends() {
  static const std::vector<Backend> table = {
      {.name = "plan", .description = "plan, check, measure"},
      {.name = "threads", .description = "also run on this machine's cores", .runs = true},
      {.name = "mpi", .description = "run under mpirun", .runs = true},
      {.name = "nccl",
       .description = "run with a GPU per rank",
       .runs = true,
       .on_gpus = true,
       .collectives = Collectives::library},
      {.name = "cuda",
       .description = "run in one process, by copies that take no SMs; ranks that share a GPU are "
                      "correct, not timed",
       .runs = true,
       .on_gpus = true},
      {.name = "simulate", .description = "simulate on a cluster", .simulates = true},
      {.name = "replay",
       .description = "time each rank's kernels on one GPU, simulate the network of a cluster",
       .on_gpus = true,
       .simulates = true},
  };
  return table;
}

const Backend& find_backend(const std::string& name) {
  std::vector<std::string> names;
  for (const Backend& backend : backends()) {
    if (backend.name == name) return backend;
    names.push_back(backend.name);
  }
  throw UserError(unknown_name("backend", name, names));
}

std::vector<std::string> kernels_of(const Backend& backend) {
  if (backend.on_gpus) return gpu_kernel_names();
  if (backend.runs) return kernel_names();
  return backend.simulates ? preset_names(PresetKind::kernels) : std::vector<std::string>();
}

}  // namespace cpbench
