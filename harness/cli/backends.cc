#include "harness/cli/backends.h"

#include <algorithm>
#include <stdexcept>

#include "harness/cli/parameters.h"
#include "harness/execute/execute.h"
#include "harness/execute/gpu.h"

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
       .description = "run on the GPUs there are, any number of ranks on each: correct, not timed",
       .runs = true,
       .on_gpus = true},
      {.name = "simulate", .description = "cost on a cluster", .costs = true},
      {.name = "replay",
       .description = "time each rank's kernels on one GPU, cost the network on a cluster",
       .on_gpus = true,
       .costs = true},
  };
  return table;
}

const Backend& backend_of(const Cell& cell) {
  const auto found = std::ranges::find(backends(), cell.backend, &Backend::name);
  if (found == backends().end()) throw std::logic_error("backend " + cell.backend);
  return *found;
}

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Backend& backend : backends()) all.push_back(backend.name);
    return all;
  }();
  return names;
}

std::vector<std::string> kernels_of(const Backend& backend) {
  if (backend.on_gpus) return gpu_kernel_names();
  if (backend.runs) return kernel_names();
  return backend.costs ? kernel_model_names() : std::vector<std::string>();
}

}  // namespace cpbench
