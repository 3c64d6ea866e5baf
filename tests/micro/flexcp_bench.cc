// Flexible CP's decision: all candidates, by the clock of one core. Counters: how many times slower
// the best static degree would be, by the same cost, on average over the batches.
//   cpbench_micro --benchmark_filter=Flexcp
#include <benchmark/benchmark.h>

#include "methods/flexcp/solver.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

constexpr int kBatches = 8;

Batch burst(int32_t ranks, uint64_t seed) { return burst_batch(ranks, 8192, seed); }
Batch wlb_like(int32_t ranks, uint64_t seed) {
  return flashcp::wlb_like_pack(int64_t{ranks} * (32 << 10), seed);
}
Batch pile_like(int32_t ranks, uint64_t seed) {
  return flashcp::pile_like_pack(int64_t{ranks} * (32 << 10), seed);
}

std::vector<Problem> problems(Batch (*draw)(int32_t, uint64_t), int32_t ranks) {
  std::vector<Problem> all;
  for (int i = 0; i < kBatches; ++i) all.push_back(layer_problem(draw(ranks, i), ranks));
  return all;
}

void FlexcpSolver(benchmark::State& state, Batch (*draw)(int32_t, uint64_t)) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  struct Case {
    Loads loads;
    Cost cost;
    Limits limits;
  };
  std::vector<Case> cases;
  double sequences = 0;
  for (const Problem& problem : problems(draw, ranks)) {
    cases.push_back({loads_of(problem),
                     Cost(problem),
                     {ranks, default_tokens_per_rank(problem.tokens(), ranks)}});
    sequences += static_cast<double>(cases.back().loads.size()) / kBatches;
  }
  size_t next = 0;
  for (auto _ : state) {
    const Case& c = cases[next++ % kBatches];
    benchmark::DoNotOptimize(solve(c.loads, c.limits, c.cost));
  }
  state.counters["sequences"] = sequences;
  for (const Case& c : cases) {
    const Solution solution = solve(c.loads, c.limits, c.cost);
    state.counters["static_over_flexible"] +=
        solution.best_static_seconds / solution.seconds / kBatches;
  }
}

BENCHMARK_CAPTURE(FlexcpSolver, burst, burst)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(FlexcpSolver, wlb_like, wlb_like)
    ->Arg(64)
    ->Arg(256)
    ->Arg(1024)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(FlexcpSolver, pile_like, pile_like)->Arg(1024)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cpbench::flexcp
