#include "harness/cli/gpu_cells.h"

#include <fmt/format.h>

#include "harness/cli/backends.h"
#include "harness/cli/machine_here.h"
#include "harness/execute/launch_environment.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

void require_gpus(const Cell& cell, size_t gpus) {
  if (cell.backend != "nccl" || launched_for_gpus()) return;
  if (static_cast<size_t>(cell.ranks) <= gpus) return;
  throw UserError(fmt::format(
      "--ranks {} with --backend nccl needs {} GPUs and this machine has {}; --backend cuda runs "
      "any number of ranks on them, --backend replay times their kernels",
      cell.ranks, cell.ranks, gpus));
}

}  // namespace

void prepare_for_gpus(std::vector<Cell>& cells) {
  for (Cell& cell : cells) {
    if (!backend_of(cell).on_gpus) continue;
    require_gpus(cell, open_gpus().all().size());
    cell.kernel = open_gpus().kernel_for(cell.kernel, cell.shape);
  }
}

bool launched_for_gpus() { return launch_environment().has_value(); }

GpusOfProcess gpus_of_this_process() {
  GpusOfProcess mine{node_name(), {}};
  for (const Gpu& gpu : open_gpus().all()) mine.gpus.push_back(gpu.uuid);
  return mine;
}

RanksHere ranks_here(const Cell& cell, ProcessGroup* group) {
  if (group) {
    const auto processes = gather_gpus(*group, gpus_of_this_process());
    const RanksOfProcess mine = place_ranks(cell.ranks, cell.nodes, processes)[group->rank()];
    return {mine.first, mine.devices};
  }
  RanksHere here;
  const auto gpus = static_cast<int32_t>(open_gpus().all().size());
  for (int32_t rank = 0; rank < cell.ranks; ++rank) here.devices.push_back(rank % gpus);
  return here;
}

double gpu_peak_flops_per_second() {
  const Gpu& gpu = open_gpus().all().front();
  const auto machine = machine_of_gpus({{gpu.name, static_cast<double>(gpu.memory_bytes)}});
  return machine ? machine->cluster.peak_flops_per_second : 0;
}

std::map<std::string, std::string> gpu_facts() { return open_gpus().versions(); }

}  // namespace cpbench
