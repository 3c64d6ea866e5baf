// MagiAttention's planner and the check of its plans, 32K tokens per rank. Counters: imbalance
// (max / mean attention pairs of the home queries) and the number of sends of the forward pass.
//   cpbench_micro --benchmark_filter=Magi
#include <benchmark/benchmark.h>

#include <algorithm>

#include "harness/plan/check.h"
#include "harness/plan/mask.h"
#include "harness/strategy/strategy.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::magi {
namespace {

Batch one_document(int64_t tokens, uint64_t) { return {.document_lengths = {tokens}}; }

Problem problem_of(Batch (*pack)(int64_t, uint64_t), int32_t ranks) {
  Problem problem;
  problem.batch = pack(ranks * int64_t{32 << 10}, 1);
  problem.cluster = {.nodes = ranks / 8, .gpus_per_node = 8};
  return problem;
}

Plan plan_of(const Problem& problem, const std::map<std::string, std::string>& set) {
  const Strategy& s = find_strategy("magi");
  return s.plan(problem, Options(s.name, s.options, set));
}

void MagiPlan(benchmark::State& state, Batch (*pack)(int64_t, uint64_t), const char* stages) {
  const Problem problem = problem_of(pack, static_cast<int32_t>(state.range(0)));
  Plan plan;
  for (auto _ : state) plan = plan_of(problem, {{"stages", stages}});
  const MaskIndex mask(problem.batch);
  int64_t most = 0;
  for (SetId home : plan.home) most = std::max(most, mask.pairs(plan.token_sets[home]));
  state.counters["imbalance"] =
      static_cast<double>(most) * problem.ranks() / static_cast<double>(mask.pairs());
  state.counters["sends"] = static_cast<double>(plan.forward.sends.size());
}

void MagiCheck(benchmark::State& state, Batch (*pack)(int64_t, uint64_t), const char* stages) {
  const Problem problem = problem_of(pack, static_cast<int32_t>(state.range(0)));
  const Plan plan = plan_of(problem, {{"stages", stages}});
  for (auto _ : state) benchmark::DoNotOptimize(check(problem, plan).ok());
}

#define MAGI_CASES(function)                                                  \
  BENCHMARK_CAPTURE(function, pile_like, flashcp::pile_like_pack, "1")        \
      ->Arg(64)                                                               \
      ->Arg(256)                                                              \
      ->Unit(benchmark::kMillisecond);                                        \
  BENCHMARK_CAPTURE(function, wlb_like, flashcp::wlb_like_pack, "1")          \
      ->Arg(64)                                                               \
      ->Arg(256)                                                              \
      ->Unit(benchmark::kMillisecond);                                        \
  BENCHMARK_CAPTURE(function, wlb_like_4_stages, flashcp::wlb_like_pack, "4") \
      ->Arg(256)                                                              \
      ->Unit(benchmark::kMillisecond);                                        \
  BENCHMARK_CAPTURE(function, one_document, one_document, "1")                \
      ->Arg(64)                                                               \
      ->Arg(256)                                                              \
      ->Unit(benchmark::kMillisecond);                                        \
  BENCHMARK_CAPTURE(function, one_document_4_stages, one_document, "4")       \
      ->Arg(256)                                                              \
      ->Unit(benchmark::kMillisecond)

MAGI_CASES(MagiPlan);
MAGI_CASES(MagiCheck);

}  // namespace
}  // namespace cpbench::magi
