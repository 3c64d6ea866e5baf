#include "harness/cli/gpus_here.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/cli/backends.h"
#include "harness/execute/launch_environment.h"
#include "harness/plan/errors.h"
#include "workloads/clusters.h"

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

// The words of a name: "NVIDIA H200 SXM" has h200.
std::vector<std::string> lower_words(const std::string& name) {
  std::vector<std::string> words(1);
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
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
  const std::vector<std::string> words = lower_words(open_gpus().all().front().name);
  for (const Machine& cluster : list_clusters()) {
    const std::string model = cluster.name.substr(0, cluster.name.find('_'));
    if (std::ranges::find(words, model) != words.end()) {
      return cluster.cluster.peak_flops_per_second;
    }
  }
  return 0;
}

std::map<std::string, std::string> gpu_facts() { return open_gpus().versions(); }

}  // namespace cpbench
