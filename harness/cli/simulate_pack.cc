#include "harness/cli/simulate_pack.h"

#include <fmt/format.h>

#include <chrono>

#include "harness/cli/backends.h"
#include "harness/cli/gpu_cells.h"
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
      replayed_(backend_of(cell).on_gpus ? cell.kernel : ""),
      iterations_(cell.iterations),
      network_(cell.network == "simgrid" ? NetworkModel::simgrid : NetworkModel::ports) {
  if (replayed_.empty()) kernel_ = scaled_to(find_kernel(cell.kernel), gpu_of(machine_));
}

std::vector<double> Simulation::replay(const AttentionShape& shape,
                                       const RankProgram& program) const {
  if (replayed_.empty()) return {};
  return open_gpus().replay(shape, program, {.kernel = replayed_, .iterations = iterations_});
}

void Simulation::run(const Problem& problem, Passes passes, PackResult& pack) const {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  Simulator simulator(problem, pack.plan, passes, {machine_, kernel_, profile_, network_});
  auto start = Clock::now();
  const Detail detail = replayed_.empty() ? simulator.detail() : Detail::full;
  const Compiler compiler(problem, pack.plan, passes, detail);
  pack.compile_seconds = since(start);
  RankProgram program;
  for (int32_t rank = 0; rank < pack.plan.ranks; ++rank) {
    start = Clock::now();
    compiler.rank(rank, program);
    pack.compile_seconds += since(start);
    simulator.add(program, replay(problem.shape, program));
  }
  pack.timeline = simulator.run();
}

std::string Simulation::fingerprint() const {
  Machine machine = machine_;
  Profile profile = profile_;
  KernelModel kernel = kernel_;
  machine.description = machine.source = profile.description = profile.source = "";
  kernel.source = "";
  std::string text = cluster_toml(machine) + profile_toml(profile);
  text += replayed_.empty() ? kernel_toml(kernel) : facts_text();
  return hex16(hash_of_text(text));
}

// Of the GPU and the libraries that replayed times come from.
std::string Simulation::facts_text() const {
  std::string text = "kernel=" + replayed_ + "\n";
  for (const auto& [name, value] : gpu_facts()) text += name + "=" + value + "\n";
  return text;
}

std::string Simulation::model_error() const {
  const std::string network =
      fmt::format("network {}: mean error {}", machine_.name, percent(machine_.mean_error));
  if (!replayed_.empty()) {
    return fmt::format("kernel {} and copies replayed on {}; {}; profile {}", replayed_,
                       open_gpus().all().front().name, network, profile_.name);
  }
  const std::string text = fmt::format(
      "kernel {}: mean error {} forward, {} backward{}; {}", kernel_.name,
      percent(kernel_.forward.mean_error), percent(kernel_.backward.mean_error),
      kernel_.extrapolated ? " where measured, extrapolated to " + machine_.name : "", network);
  return text + "; profile " + profile_.name;
}

}  // namespace cpbench
