#include "harness/cli/simulate_cell.h"

#include <fmt/format.h>

#include <chrono>

#include "harness/compile/compile.h"
#include "harness/measure/text_hash.h"
#include "harness/simulate/simulate.h"
#include "workloads/clusters.h"
#include "workloads/profiles.h"

namespace cpbench {
namespace {

std::string error_of(const char* what, double mean, double worst) {
  if (mean < 0) return fmt::format("{}: error not measured", what);
  return fmt::format("{}: error {:.1f}% on average, {:.1f}% at worst", what, 100 * mean,
                     100 * worst);
}

}  // namespace

CostModel cost_model_of(const Cell& cell) {
  CostModel model;
  model.machine = machine_of(find_cluster(cell.cluster), cell.ranks, cell.nodes);
  const Machine& m = model.machine;
  model.kernel = scaled_to(find_kernel_model(cell.kernel),
                           {.name = m.name,
                            .sms = m.sms,
                            .peak_flops_per_second = m.cluster.peak_flops_per_second,
                            .memory_bytes_per_second = m.cluster.memory_bytes_per_second});
  model.profile = find_profile(cell.profile);
  return model;
}

std::string error_text(const CostModel& model) {
  const KernelModel& k = model.kernel;
  return fmt::format(
      "kernel model {}{}: {}, {}; network of {}: {}; profile {}", k.name,
      k.extrapolated ? " (extrapolated to this GPU; errors are where it was measured)" : "",
      error_of("forward", k.forward.mean_error, k.forward.worst_error),
      error_of("backward", k.backward.mean_error, k.backward.worst_error), model.machine.name,
      error_of("collectives", model.machine.mean_error, model.machine.worst_error),
      model.profile.name);
}

std::string fingerprint(const CostModel& model) {
  Machine machine = model.machine;
  Profile profile = model.profile;
  machine.description = machine.source = profile.description = profile.source = "";
  std::string text = cluster_toml(machine) + profile_toml(profile);
  for (const KernelConstants& c : {model.kernel.forward, model.kernel.backward}) {
    text += fmt::format("{} {} {} {} {} {} {} {} {} {}\n", c.call_us, c.segment_us, c.longest_us,
                        c.tile_us, c.rows_us, c.block_us, c.kv_block_us, c.empty_block_us,
                        c.tile_tokens, c.block_tokens);
  }
  return hex16(hash_of_text(text));
}

void simulate_pack(const Cell& cell, const CostModel& model, const Problem& problem,
                   PackResult& pack) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const Program program = compile(problem, pack.plan, cell.passes);
  pack.compile_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  pack.timeline =
      simulate(problem, pack.plan, program, {model.machine, model.kernel, model.profile});
}

}  // namespace cpbench
