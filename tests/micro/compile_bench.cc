// Compiling whole plans, 32K tokens per rank, both directions: all ranks on all cores, or streamed,
// one rank's program at a time, as a simulator takes them. Peak memory is that of the process: ask
// for one benchmark a run.
//   cpbench_micro --benchmark_filter='CompileStreamed/wlb_llm/zigzag/64/'
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>

#include "harness/compile/compile.h"
#include "harness/strategy/strategy.h"
#include "tests/micro/plan_bench.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {
namespace {

constexpr int64_t kTokensPerRank = 32 << 10;

Problem problem_at(const char* workload, int32_t ranks) {
  Problem problem;
  problem.batch = make_packs(*find_workload(workload), {.tokens = kTokensPerRank * ranks}).front();
  problem.shape = find_shape("llama3_8b").attention;
  problem.shape.dtype = Dtype::bfloat16;
  problem.cluster = {.nodes = std::max(1, ranks / 8), .gpus_per_node = std::min(8, ranks)};
  return problem;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void CompilePlan(benchmark::State& state, const char* workload, const char* name,
                 const std::map<std::string, std::string>& options, bool streamed) {
  const Problem problem = problem_at(workload, static_cast<int32_t>(state.range(0)));
  const Strategy& strategy = find_strategy(name);
  const Plan plan = strategy.plan(problem, Options(name, strategy.options, options));
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
      const Compiler compiler(problem, plan, Passes::both);
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
  const std::map<std::string, std::string> per_document = {{"per_document", "true"}};
  for (const bool streamed : {false, true}) {
    for (const char* workload : {"wlb_llm", "pile"}) {
      const auto add = [&](const char* label, const char* name,
                           const std::map<std::string, std::string>& options = {}) {
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
