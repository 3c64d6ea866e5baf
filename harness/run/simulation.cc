#include "harness/run/simulation.h"

#include <fmt/format.h>

#include <chrono>

#include "harness/compile/compile.h"
#include "harness/execute/gpus/gpu.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/machines/profiles.h"

namespace cpbench {
namespace {

std::string percent(double share) {
  return share < 0 ? "unknown" : fmt::format("{:.1f}%", 100 * share);
}

// Seconds of the program's operations on the GPU here; none where models say them.
std::vector<double> replayed(const Job& job, const RankProgram& program) {
  if (!job.backend->replays()) return {};
  return open_gpus().replay(job.spec.shape, program,
                            {.kernel = job.spec.kernel, .iterations = job.spec.iterations});
}

}  // namespace

void simulate_pack(const Job& job, const Problem& problem, PackResult& pack) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const Passes passes = job.spec.passes;
  Simulator simulator(problem, pack.plan, passes,
                      {*job.machine, job.kernel, job.profile, job.network});
  auto start = Clock::now();
  const Detail detail = job.backend->replays() ? Detail::full : simulator.detail();
  const Compiler compiler(problem, pack.plan, passes, detail);
  pack.compile_seconds = since(start);
  RankProgram program;
  for (int32_t rank = 0; rank < pack.plan.ranks; ++rank) {
    start = Clock::now();
    compiler.rank(rank, program);
    pack.compile_seconds += since(start);
    simulator.add(program, replayed(job, program));
  }
  pack.timeline = simulator.run();
}

std::string model_text(const Job& job) {
  ClusterModel machine = *job.machine;
  machine.description = machine.source = "";
  std::string text = cluster_toml(machine);
  if (!job.backend->simulates) return text;
  Profile profile = job.profile;
  profile.description = profile.source = "";
  text += profile_toml(profile);
  if (job.backend->replays()) return text + "kernel=" + job.spec.kernel + "\n";
  KernelModel kernel = job.kernel;
  kernel.source = "";
  return text + kernel_toml(kernel);
}

std::string model_error(const Job& job) {
  const ClusterModel& machine = *job.machine;
  const std::string rest = fmt::format("network {}: mean error {}; profile {}", machine.name,
                                       percent(machine.mean_error), job.profile.name);
  if (job.backend->replays()) {
    return fmt::format("kernel {} and copies replayed on {}; {}", job.spec.kernel,
                       open_gpus().all().front().name, rest);
  }
  const KernelModel& kernel = job.kernel;
  return fmt::format("kernel {}: mean error {} forward, {} backward{}; {}", kernel.name,
                     percent(kernel.forward.mean_error), percent(kernel.backward.mean_error),
                     kernel.extrapolated ? " where measured, extrapolated to " + machine.name : "",
                     rest);
}

}  // namespace cpbench
