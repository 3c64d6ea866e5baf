// Strategies that form groups, besides flexcp: the whole plan and its check; FlexSP's program, with
// how much faster the slowest group is than the heuristic's (by the same cost).
//   cpbench_micro --benchmark_filter=Groups
#include <benchmark/benchmark.h>

#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {
namespace {

constexpr int kBatches = 4;

Problem problem_of(int32_t ranks, bool pile_like, uint64_t seed) {
  const int64_t tokens = int64_t{ranks} * (32 << 10);
  return flexcp::layer_problem(
      pile_like ? flashcp::pile_like_pack(tokens, seed) : flashcp::wlb_like_pack(tokens, seed),
      ranks);
}

// What does not fit a batch's longest sequence at the default is planned with more tokens per rank.
void GroupsPlan(benchmark::State& state, const char* name, bool pile_like) {
  const Strategy& strategy = find_strategy(name);
  const Options options(name, strategy.options, {});
  std::vector<Problem> problems;
  for (int i = 0; i < kBatches; ++i) {
    problems.push_back(problem_of(static_cast<int32_t>(state.range(0)), pile_like, i));
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(strategy.plan(problems[next++ % kBatches], options));
  }
}

void GroupsCheck(benchmark::State& state, const char* name, bool pile_like) {
  const Strategy& strategy = find_strategy(name);
  const Problem problem = problem_of(static_cast<int32_t>(state.range(0)), pile_like, 1);
  const Plan plan = strategy.plan(problem, Options(name, strategy.options, {}));
  for (auto _ : state) benchmark::DoNotOptimize(check(problem, plan));
}

void GroupsFlexspSolver(benchmark::State& state, bool pile_like) {
  const Strategy& flexsp = find_strategy("flexsp");
  const Options options("flexsp", flexsp.options, {});
  const Problem problem = problem_of(64, pile_like, static_cast<uint64_t>(state.range(0)));
  std::vector<ReportedValue> report;
  for (auto _ : state) report = flexsp.report(problem, options);
  double start = 0, found = 1;
  for (const ReportedValue& reported : report) {
    if (reported.name == "start_seconds") start = reported.value;
    if (reported.name == "planned_seconds") found = reported.value;
    if (reported.name == "unproven_micro_batches") state.counters["unproven"] = reported.value;
  }
  state.counters["start_over_found"] = start / found;
}

BENCHMARK_CAPTURE(GroupsPlan, bytescale_wlb, "bytescale", false)->Arg(256);
BENCHMARK_CAPTURE(GroupsPlan, bytescale_pile, "bytescale", true)->Arg(256);
BENCHMARK_CAPTURE(GroupsPlan, megatron_hybrid_wlb, "megatron_hybrid", false)->Arg(256);
BENCHMARK_CAPTURE(GroupsPlan, megatron_hybrid_pile, "megatron_hybrid", true)->Arg(256);
BENCHMARK_CAPTURE(GroupsCheck, bytescale_wlb, "bytescale", false)->Arg(256);
BENCHMARK_CAPTURE(GroupsCheck, bytescale_pile, "bytescale", true)->Arg(256);
BENCHMARK_CAPTURE(GroupsCheck, megatron_hybrid_wlb, "megatron_hybrid", false)->Arg(256);
BENCHMARK_CAPTURE(GroupsCheck, megatron_hybrid_pile, "megatron_hybrid", true)->Arg(256);
BENCHMARK_CAPTURE(GroupsFlexspSolver, wlb, false)->DenseRange(0, 3)->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(GroupsFlexspSolver, pile, true)->DenseRange(0, 1)->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(GroupsCheck, flexsp_wlb, "flexsp", false)->Arg(64);

}  // namespace
}  // namespace cpbench
