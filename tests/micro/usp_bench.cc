// USP and LoongTrain: a whole plan, and its check, on 32K tokens per rank.
//   cpbench_micro --benchmark_filter=Grid
#include <benchmark/benchmark.h>

#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench {
namespace {

Problem problem_of(const benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  Problem problem;
  problem.cluster.gpus_per_node = 8;
  problem.cluster.nodes = static_cast<int32_t>(state.range(0)) / 8;
  problem.shape.query_heads = 32;
  problem.batch = pack(state.range(0) * (32 << 10), 1);
  return problem;
}

void GridPlan(benchmark::State& state, const char* name, Batch (*pack)(int64_t, uint64_t)) {
  const Strategy& strategy = find_strategy(name);
  const Options options(name, strategy.options, {});
  const Problem problem = problem_of(state, pack);
  for (auto _ : state) benchmark::DoNotOptimize(strategy.plan(problem, options));
}

void GridCheck(benchmark::State& state, const char* name, Batch (*pack)(int64_t, uint64_t)) {
  const Strategy& strategy = find_strategy(name);
  const Problem problem = problem_of(state, pack);
  const Plan plan = strategy.plan(problem, Options(name, strategy.options, {}));
  for (auto _ : state) {
    if (!check(problem, plan).ok()) state.SkipWithError("not a correct plan");
  }
}

void at_all_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("ranks")->Unit(benchmark::kMillisecond)->Arg(8)->Arg(64)->Arg(256)->Arg(1024);
}

BENCHMARK_CAPTURE(GridPlan, usp_wlb_like, "usp", flashcp::wlb_like_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(GridPlan, usp_pile_like, "usp", flashcp::pile_like_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(GridPlan, loongtrain_wlb_like, "loongtrain", flashcp::wlb_like_pack)
    ->Apply(at_all_sizes);
BENCHMARK_CAPTURE(GridCheck, usp_wlb_like, "usp", flashcp::wlb_like_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(GridCheck, usp_pile_like, "usp", flashcp::pile_like_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(GridCheck, loongtrain_wlb_like, "loongtrain", flashcp::wlb_like_pack)
    ->Apply(at_all_sizes);

}  // namespace
}  // namespace cpbench
