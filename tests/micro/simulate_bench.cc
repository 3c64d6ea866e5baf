// Simulating whole plans, 32K tokens per rank, both directions, `ports`: planning, checking,
// compiling rank by rank, and simulating. All times are CPU seconds of the process. Peak memory is
// that of the process: ask for one benchmark a run.
//   cpbench_micro --benchmark_filter='Simulate/wlb_llm/fcp/1024'
#include <benchmark/benchmark.h>

#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/compile/compile.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/plan/check.h"
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

template <typename Work>
auto timed(double& seconds, const Work& work) {
  struct Timer {
    double& seconds;
    double start = cpu_seconds();
    ~Timer() { seconds += cpu_seconds() - start; }
  } timer{seconds};
  return work();
}

void simulate_plan(benchmark::State& state, const char* workload, const std::string& name) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  const ClusterModel machine = cluster_with_ranks(find_cluster("h100"), ranks);
  const KernelModel& kernel = find_kernel(machine.kernel);
  const Profile profile;
  Problem problem = problem_at(workload, ranks);
  problem.cluster = machine.cluster;
  for (auto _ : state) {
    double plan_s = 0, check_s = 0, compile_s = 0, simulate_s = 0;
    size_t operations = 0, segments = 0;
    const Plan plan = timed(plan_s, [&] { return plan_with(name, {}, problem); });
    if (!timed(check_s, [&] { return check(problem, plan, Passes::both).ok(); })) {
      throw std::logic_error("internal error: the plan is not correct");
    }
    Simulator simulator(problem, plan, Passes::both, {machine, kernel, profile});
    timed(compile_s, [&] {
      const Compiler compiler(problem, plan, Passes::both, simulator.detail());
      RankProgram program;
      double added_s = 0;
      for (int32_t rank = 0; rank < ranks; ++rank) {
        compiler.rank(rank, program);
        timed(added_s, [&] { simulator.add(program); });
        operations += program.ops.size();
        for (const Call& call : program.calls) segments += call.segments;
      }
      compile_s -= added_s;
      simulate_s += added_s;
    });
    timed(simulate_s, [&] { benchmark::DoNotOptimize(simulator.run()); });
    state.SetIterationTime(plan_s + check_s + compile_s + simulate_s);
    const std::pair<const char*, double> counters[] = {
        {"plan_s", plan_s},
        {"check_s", check_s},
        {"compile_s", compile_s},
        {"simulate_s", simulate_s},
        {"operations", static_cast<double>(operations)},
        {"segments", static_cast<double>(segments)},
        {"peak_MiB", peak_mebibytes()},
    };
    for (const auto& [counter, value] : counters) state.counters[counter] = value;
  }
}

}  // namespace

void register_simulate_benchmarks() {
  for (const char* workload : {"wlb_llm", "pile"}) {
    for (const Strategy* strategy : strategies()) {
      const std::string name(strategy->name);
      benchmark::RegisterBenchmark((std::string("Simulate/") + workload + "/" + name).c_str(),
                                   [=](benchmark::State& state) {
                                     try {
                                       simulate_plan(state, workload, name);
                                     } catch (const std::exception& error) {
                                       state.SkipWithError(error.what());
                                     }
                                   })
          ->RangeMultiplier(4)
          ->Range(16, 16384)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace cpbench
