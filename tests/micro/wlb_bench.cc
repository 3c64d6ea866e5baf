// WLB's choice by the kernel-time model, and its plan.
//   cpbench_micro --benchmark_filter=Wlb
#include <benchmark/benchmark.h>

#include "harness/strategy/strategy.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench {
namespace {

Problem problem_of(const benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  Problem problem;
  problem.cluster.gpus_per_node = static_cast<int32_t>(state.range(0));
  problem.batch = pack(state.range(0) * (32 << 10), 1);
  return problem;
}

void WlbDecision(benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  const Strategy& wlb = find_strategy("wlb");
  const Options options("wlb", wlb.options, {});
  const Problem problem = problem_of(state, pack);
  for (auto _ : state) benchmark::DoNotOptimize(wlb.report(problem, options));
  for (const ReportedValue& reported : wlb.report(problem, options))
    state.counters[reported.name] = reported.value;
}

void WlbPlan(benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  const Strategy& wlb = find_strategy("wlb");
  const Options options("wlb", wlb.options, {});
  const Problem problem = problem_of(state, pack);
  for (auto _ : state) benchmark::DoNotOptimize(wlb.plan(problem, options));
}

void at_all_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("ranks")->Unit(benchmark::kMillisecond)->Arg(8)->Arg(64)->Arg(256)->Arg(1024);
}

BENCHMARK_CAPTURE(WlbDecision, wlb_like, flashcp::wlb_like_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(WlbDecision, pile_like, flashcp::pile_like_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(WlbPlan, wlb_like, flashcp::wlb_like_pack)->Apply(at_all_sizes);

}  // namespace
}  // namespace cpbench
