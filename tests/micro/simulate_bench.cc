// Simulating whole plans, 32K tokens per rank, both directions, `ports`: pricing every rank's
// program and running the schedule, without compiling. The time is the process's CPU time. Peak
// memory is that of the process: ask for one benchmark a run.
//   cpbench_micro --benchmark_filter='Simulate/wlb_llm/fcp/1024'
#include <benchmark/benchmark.h>

#include <ctime>

#include "harness/compile/compile.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/simulate/simulate.h"
#include "tests/micro/large_plans.h"
#include "tests/micro/plan_bench.h"

namespace cpbench {
namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void SimulatePlan(benchmark::State& state, const char* workload, const char* name) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  const ClusterModel machine = cluster_with_ranks(find_cluster("h100"), ranks);
  const KernelModel& kernel = find_kernel(machine.kernel);
  const Profile profile;
  Problem problem = problem_at(workload, ranks);
  problem.cluster = machine.cluster;
  const Plan plan = plan_with(name, {}, problem);
  size_t operations = 0, segments = 0;
  for (auto _ : state) {
    operations = segments = 0;
    double seconds = 0;
    Simulator simulator(problem, plan, Passes::both, {machine, kernel, profile});
    const Compiler compiler(problem, plan, Passes::both, simulator.detail());
    RankProgram program;
    for (int32_t rank = 0; rank < ranks; ++rank) {
      compiler.rank(rank, program);
      operations += program.ops.size();
      for (const Call& call : program.calls) {
        for (int32_t i = 0; i < call.segments; ++i) {
          segments += program.segments[call.first_segment + i].count;
        }
      }
      const double start = cpu_seconds();
      simulator.add(program);
      seconds += cpu_seconds() - start;
    }
    const double start = cpu_seconds();
    benchmark::DoNotOptimize(simulator.run());
    state.SetIterationTime(seconds + cpu_seconds() - start);
  }
  state.counters["operations"] = static_cast<double>(operations);
  state.counters["segments"] = static_cast<double>(segments);
  state.counters["peak_MiB"] = peak_mebibytes();
}

}  // namespace

void register_simulate_benchmarks() {
  for (const char* workload : {"wlb_llm", "pile"}) {
    for (const char* name : {"fcp", "flashcp", "allgather", "per_doc", "ring", "usp", "zigzag"}) {
      benchmark::RegisterBenchmark(
          (std::string("Simulate/") + workload + "/" + name).c_str(),
          [=](benchmark::State& state) { SimulatePlan(state, workload, name); })
          ->RangeMultiplier(4)
          ->Range(16, 1024)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace cpbench
