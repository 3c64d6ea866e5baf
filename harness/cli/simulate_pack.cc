#include "harness/cli/simulate_pack.h"

#include <fmt/format.h>

#include <chrono>

#include "harness/compile/compile.h"
#include "harness/measure/text_hash.h"
#include "harness/simulate/simulate.h"
#include "workloads/clusters.h"
#include "workloads/kernels.h"
#include "workloads/profiles.h"

namespace cpbench {
namespace {

GpuFacts gpu_of(const Machine& machine) {
  return {machine.name, machine.sms, machine.cluster.peak_flops_per_second,
          machine.cluster.memory_bytes_per_second};
}

std::string percent(double share) {
  return share < 0 ? "unknown" : fmt::format("{:.1f}%", 100 * share);
}

}  // namespace

Simulation::Simulation(const Cell& cell)
    : machine_(machine_of(find_cluster(cell.cluster), cell.ranks, cell.nodes)),
      profile_(find_profile(cell.profile)),
      kernel_(scaled_to(find_kernel(cell.kernel), gpu_of(machine_))),
      network_(cell.network == "simgrid" ? NetworkModel::simgrid : NetworkModel::ports) {}

void Simulation::run(const Problem& problem, Passes passes, PackResult& pack) const {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  Simulator simulator(problem, pack.plan, passes, {machine_, kernel_, profile_, network_});
  auto start = Clock::now();
  const Compiler compiler(problem, pack.plan, passes, simulator.detail());
  pack.compile_seconds = since(start);
  RankProgram program;
  for (int32_t rank = 0; rank < pack.plan.ranks; ++rank) {
    start = Clock::now();
    compiler.rank(rank, program);
    pack.compile_seconds += since(start);
    simulator.add(program);
  }
  pack.timeline = simulator.run();
}

std::string Simulation::fingerprint() const {
  Machine machine = machine_;
  Profile profile = profile_;
  KernelModel kernel = kernel_;
  machine.description = machine.source = profile.description = profile.source = "";
  kernel.source = "";
  const std::string text = cluster_toml(machine) + profile_toml(profile) + kernel_toml(kernel);
  return hex16(hash_of_text(text));
}

std::string Simulation::model_error() const {
  std::string text = fmt::format(
      "kernel {}: mean error {} forward, {} backward{}; network {}: mean error {}", kernel_.name,
      percent(kernel_.forward.mean_error), percent(kernel_.backward.mean_error),
      kernel_.extrapolated ? " where measured, extrapolated to " + machine_.name : "",
      machine_.name, percent(machine_.mean_error));
  return text + "; profile " + profile_.name;
}

}  // namespace cpbench
