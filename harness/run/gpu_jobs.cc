#include "harness/run/gpu_jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/run/machine_here.h"
#include "harness/run/resolve.h"

namespace cpbench {
namespace {

void require_gpus(const Job& job, size_t gpus) {
  if (job.in_processes || static_cast<size_t>(job.spec.ranks) <= gpus) return;
  if (job.spec.backend == "cuda" && job.spec.graph) {
    throw UserError(fmt::format(
        "--graph on with --backend cuda needs a GPU for each of {} ranks and this machine has {}",
        job.spec.ranks, gpus));
  }
  if (job.spec.backend != "nccl") return;
  throw UserError(fmt::format(
      "--ranks {} with --backend nccl needs {} GPUs and this machine has {}; --backend cuda runs "
      "any number of ranks on them, --backend replay times their kernels",
      job.spec.ranks, job.spec.ranks, gpus));
}

}  // namespace

void prepare_for_gpus(std::vector<Job>& jobs) {
  for (Job& job : jobs) {
    if (!job.backend->on_gpus) continue;
    require_gpus(job, open_gpus().all().size());
    job.spec.kernel = open_gpus().kernel_for(job.spec.kernel, job.spec.shape, job.spec.sm_margin);
    if (job.backend->replays()) job.spec.inputs = inputs_of(job, open_gpus().versions());
  }
}

std::unique_ptr<LocalLaunch> launch_process_per_gpu(std::vector<Job>& jobs,
                                                    const std::vector<std::string>& command_line) {
  const auto over_nccl = [](const Job& job) { return job.spec.backend == "nccl"; };
  const bool several = std::ranges::any_of(jobs, [&](const Job& job) {
    return over_nccl(job) && !job.in_processes && job.spec.ranks > 1;
  });
  if (!several) return nullptr;
  auto launch =
      std::make_unique<LocalLaunch>(command_line, static_cast<int32_t>(open_gpus().all().size()));
  for (Job& job : jobs) job.in_processes = job.in_processes || over_nccl(job);
  return launch;
}

GpusOfProcess gpus_of_this_process() {
  GpusOfProcess mine{node_name(), {}};
  for (const Gpu& gpu : open_gpus().all()) mine.gpus.push_back(gpu.uuid);
  return mine;
}

RanksOfProcess all_ranks_here(const Job& job) {
  RanksOfProcess here;
  const auto gpus = static_cast<int32_t>(open_gpus().all().size());
  for (int32_t rank = 0; rank < job.spec.ranks; ++rank) here.devices.push_back(rank % gpus);
  return here;
}

double gpu_peak_flops_per_second() {
  const Gpu& gpu = open_gpus().all().front();
  const auto machine = machine_of_gpus({{gpu.name, static_cast<double>(gpu.memory_bytes)}});
  return machine ? machine->cluster.peak_flops_per_second : 0;
}

}  // namespace cpbench
