// The properties of a plan in which queries travel: every rank attends the queries of all ranks
// with the same keys.
//   cpbench_micro --benchmark_filter=Summary
#include <benchmark/benchmark.h>

#include "harness/measure/plan_summary.h"
#include "harness/plan/check.h"
#include "tests/micro/large_plans.h"

namespace cpbench {
namespace {

void SummaryPassQ(benchmark::State& state) {
  const Problem problem = problem_at("pile", static_cast<int32_t>(state.range(0)));
  const Plan plan = plan_with("pass_q", {}, problem);
  const CheckReport report = check(problem, plan);
  for (auto _ : state) {
    benchmark::DoNotOptimize(summary_of(problem, plan, report, Passes::both));
  }
}
BENCHMARK(SummaryPassQ)
    ->ArgName("ranks")
    ->Unit(benchmark::kMillisecond)
    ->Arg(16)
    ->Arg(64)
    ->Arg(256);

}  // namespace
}  // namespace cpbench
