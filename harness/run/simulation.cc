#include "harness/run/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "harness/compile/compile.h"
#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu.h"
#include "harness/execute/layer.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/machines/profiles.h"
#include "harness/machines/whole_runs.h"
#include "harness/plan/thread_seconds.h"
#include "harness/run/room.h"
#include "harness/simulate/make_schedule.h"

namespace cpbench {
namespace {

// Seconds of the program's operations on the GPU here; none where models say them.
std::vector<double> replayed(const Job& job, const RankProgram& program) {
  if (!job.backend->replays()) return {};
  return open_gpus().replay(without_layer(job.spec.shape), program,
                            {.kernel = job.spec.kernel,
                             .sm_margin = job.spec.sm_margin,
                             .iterations = job.spec.iterations});
}

}  // namespace

void simulate_pack(const Job& job, const Problem& problem, PackResult& pack) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const Passes passes = job.spec.passes;
  const std::string no_room =
      cpbench::no_room(expected_cost(pack.plan, passes), free_memory_bytes());
  if (!no_room.empty()) throw DoesNotFit(no_room);
  Simulator simulator(problem, pack.plan, passes,
                      {*job.machine, job.kernel, job.profile, job.network});
  auto start = Clock::now();
  const Detail detail = job.backend->replays() ? Detail::full : simulator.detail();
  const Compiler compiler(problem, pack.plan, passes, detail);
  pack.compile_seconds = since(start);
  RankProgram program;
  std::vector<int64_t> of_layers;  // memory
  const auto simulate = [&](auto part) {
    const double before = thread_seconds();
    part();
    pack.simulation_seconds += thread_seconds() - before;
  };
  for (int32_t rank = 0; rank < pack.plan.ranks; ++rank) {
    start = Clock::now();
    compiler.rank(rank, program);
    pack.compile_seconds += since(start);
    const std::vector<double> measured = replayed(job, program);
    simulate([&] { simulator.add(program, measured); });
    of_layers.push_back(layer_bytes(program, job.computed_shape()));
  }
  simulate([&] { pack.timeline = simulator.run(); });
  std::ranges::transform(pack.timeline.peak_bytes, of_layers, pack.timeline.peak_bytes.begin(),
                         std::plus<>());
}

Schedule schedule_of(const Job& job, const Problem& problem, const Plan& plan) {
  const Compiler compiler(problem, plan, job.spec.passes, priced_detail(job.kernel, job.profile));
  std::vector<PricedRank> priced;
  RankProgram program;
  for (int32_t rank = 0; rank < plan.ranks; ++rank) {
    compiler.rank(rank, program);
    priced.push_back(price(program, job.spec.passes,
                           {problem.shape, plan, *job.machine, job.kernel, job.profile}));
  }
  return make_schedule(plan, std::move(priced), job.profile, job.machine->cluster);
}

std::string model_text(const Job& job) {
  ClusterModel machine = *job.machine;
  machine.description = machine.source = "";
  std::string text = cluster_toml(machine);
  if (!job.backend->simulates) return text;
  Profile profile = job.profile;
  profile.description = profile.source = "";
  profile.sources.clear();
  text += profile_toml(profile);
  if (job.backend->replays()) return text + "kernel=" + job.spec.kernel + "\n";
  KernelModel kernel = job.kernel;
  kernel.source = "";
  return text + kernel_toml(kernel);
}

std::string model_error(const Job& job) {
  const ClusterModel& machine = *job.machine;
  const std::string& kernel = job.spec.kernel;
  std::string models = "kernel " + kernel;
  if (job.backend->replays()) {
    models += " and copies replayed on " + open_gpus().all().front().name;
  } else if (job.kernel.extrapolated) {
    models += " extrapolated to " + machine.name;
  }
  const bool documents =
      job.spec.mask != Mask::causal && std::ranges::any_of(*job.batches, [](const Batch& batch) {
        return batch.document_lengths.size() > 1;
      });
  std::string profile = job.profile.name, assumed;
  for (const ProfileValue& value : values_of(job.profile)) {
    if (value.source.empty()) assumed += (assumed.empty() ? "" : ", ") + value.key;
  }
  if (!assumed.empty()) profile += " (assumed: " + assumed + ")";
  return fmt::format("{}; network {}; profile {}; {}", models, machine.name, profile,
                     whole_run_error({.strategy = job.spec.strategy,
                                      .cluster = machine.name,
                                      .profile = job.profile.name,
                                      .ranks = job.spec.ranks,
                                      .nodes = job.spec.nodes,
                                      .mask = job.spec.mask,
                                      .documents = documents}));
}

}  // namespace cpbench
