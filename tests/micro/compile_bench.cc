// Compiling whole plans, 32K tokens per rank, both directions: all ranks on all cores, or streamed,
// the outline of one rank's program at a time, as a simulator takes them. Peak memory is that of
// the process: ask for one benchmark a run.
//   cpbench_micro --benchmark_filter='CompileStreamed/wlb_llm/zigzag/64/'
#include <benchmark/benchmark.h>

#include "harness/compile/compile.h"
#include "tests/micro/large_plans.h"
#include "tests/micro/plan_bench.h"

namespace cpbench {
namespace {

void CompilePlan(benchmark::State& state, const char* workload, const char* name,
                 const OptionValues& options, bool streamed) {
  const Problem problem = problem_at(workload, static_cast<int32_t>(state.range(0)));
  const Plan plan = plan_with(name, options, problem);
  const double before = peak_mebibytes();
  size_t operations = 0, segments = 0, runs = 0;
  const auto count = [&](const RankProgram& rank) {
    operations += rank.ops.size();
    segments += rank.segments.size();
    runs += rank.runs.size();
  };
  for (auto _ : state) {
    operations = segments = runs = 0;
    if (streamed) {
      const Compiler compiler(problem, plan, Passes::both, Detail::outline);
      RankProgram program;
      for (int32_t rank = 0; rank < plan.ranks; ++rank) {
        compiler.rank(rank, program);
        count(program);
      }
    } else {
      const Program program = compile(problem, plan, Passes::both);
      for (const RankProgram& rank : program.ranks) count(rank);
    }
  }
  state.counters["documents"] = static_cast<double>(problem.batch.document_lengths.size());
  state.counters["operations"] = static_cast<double>(operations);
  state.counters["segments"] = static_cast<double>(segments);
  state.counters["runs"] = static_cast<double>(runs);
  state.counters["plan_MiB"] = before;
  state.counters["peak_MiB"] = peak_mebibytes();
}

}  // namespace

void register_compile_benchmarks() {
  const OptionValues per_document = {{"per_document", "true"}};
  for (const bool streamed : {false, true}) {
    for (const char* workload : {"wlb_llm", "pile"}) {
      const auto add = [&](const char* label, const char* name, const OptionValues& options = {}) {
        const std::string prefix = streamed ? "CompileStreamed/" : "Compile/";
        benchmark::RegisterBenchmark(
            (prefix + workload + "/" + label).c_str(),
            [=](benchmark::State& state) { CompilePlan(state, workload, name, options, streamed); })
            ->Arg(64)
            ->Arg(256)
            ->Arg(1024)
            ->MeasureProcessCPUTime()
            ->Unit(benchmark::kMillisecond);
      };
      add("ring", "ring");
      add("ring_per_document", "ring", per_document);
      for (const char* name : {"zigzag", "per_doc", "fcp", "flashcp", "allgather"}) add(name, name);
    }
  }
}

}  // namespace cpbench
