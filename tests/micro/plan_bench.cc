// Planning and checking every strategy on a real length set, 32K tokens per rank.
//   cpbench_micro --benchmark_filter='(Plan|Check)Strategy/.*/256$'
#include "tests/micro/plan_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>

#include "harness/measure/plan_summary.h"
#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "workloads/workload.h"

namespace cpbench {
namespace {

constexpr int64_t kTokensPerRank = 32 << 10;

Problem problem_at(int32_t ranks) {
  auto workload = find_workload("wlb_llm");
  Problem problem;
  problem.batch = make_packs(*workload, {.tokens = kTokensPerRank * ranks}).front();
  problem.shape.query_heads = std::max(64, ranks);
  problem.cluster = {.nodes = std::max(1, ranks / 8), .gpus_per_node = std::min(8, ranks)};
  return problem;
}

Plan plan_with(const Strategy& strategy, const Problem& problem) {
  return strategy.plan(problem, Options(strategy.name, strategy.options, {}));
}

void PlanStrategy(benchmark::State& state, const Strategy* strategy) {
  Problem problem = problem_at(static_cast<int32_t>(state.range(0)));
  try {
    for (auto _ : state) benchmark::DoNotOptimize(plan_with(*strategy, problem));
  } catch (const Unsupported& reason) {
    state.SkipWithError(reason.what());
  }
}

void CheckStrategy(benchmark::State& state, const Strategy* strategy) {
  Problem problem = problem_at(static_cast<int32_t>(state.range(0)));
  try {
    Plan plan = plan_with(*strategy, problem);
    for (auto _ : state) {
      CheckReport report = check(problem, plan);
      if (!report.ok()) state.SkipWithError(report.violations.front().text().c_str());
    }
    int64_t ranges = 0;
    for (SetId id = 0; id < plan.token_sets.count(); ++id) {
      ranges += static_cast<int64_t>(plan.token_sets[id].size());
    }
    size_t operations = plan.forward.attends.size() + plan.forward.sends.size() +
                        plan.backward.attends.size() + plan.backward.sends.size();
    state.counters["operations"] = static_cast<double>(operations);
    state.counters["ranges"] = static_cast<double>(ranges);
  } catch (const Unsupported& reason) {
    state.SkipWithError(reason.what());
  }
}

void register_for(const Strategy* strategy, const char* prefix,
                  void (*body)(benchmark::State&, const Strategy*)) {
  benchmark::RegisterBenchmark((prefix + strategy->name).c_str(), body, strategy)
      ->Arg(8)
      ->Arg(256)
      ->Arg(1024)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

void register_plan_benchmarks() {
  for (const Strategy* strategy : strategies()) {
    register_for(strategy, "PlanStrategy/", PlanStrategy);
    register_for(strategy, "CheckStrategy/", CheckStrategy);
  }
}

}  // namespace cpbench
