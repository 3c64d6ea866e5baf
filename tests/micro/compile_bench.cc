// Compile time of whole plans: ranks x 8K tokens in documents of about 800 tokens.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "harness/compile/compile.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Problem problem_of(int32_t ranks) {
  Problem problem;
  int64_t left = 8192 * ranks;
  for (int64_t i = 0; left > 0; ++i) {
    const int64_t length = std::min<int64_t>(left, 100 + i * 7919 % 1400);
    problem.batch.document_lengths.push_back(length);
    left -= length;
  }
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

void compile_plan(benchmark::State& state, const char* name) {
  const Problem problem = problem_of(static_cast<int32_t>(state.range(0)));
  const Strategy& strategy = find_strategy(name);
  const Plan plan = strategy.plan(problem, Options(name, strategy.options, {}));
  size_t operations = 0;
  for (auto _ : state) {
    const Program program = compile(problem, plan, Passes::both);
    operations = 0;
    for (const RankProgram& rank : program.ranks) operations += rank.ops.size();
    benchmark::DoNotOptimize(operations);
  }
  state.counters["documents"] = static_cast<double>(problem.batch.document_lengths.size());
  state.counters["operations"] = static_cast<double>(operations);
}

BENCHMARK_CAPTURE(compile_plan, ring, "ring")->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile_plan, zigzag, "zigzag")->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile_plan, allgather, "allgather")
    ->Arg(8)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile_plan, per_doc, "per_doc")->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cpbench
