// DistCA's planner and the check of its plans, 32K tokens per rank. Counters: imbalance (max / mean
// attention pairs) before and after work moves, and the moved queries as a share of all.
//   cpbench_micro --benchmark_filter=Distca
#include <benchmark/benchmark.h>

#include <algorithm>

#include "baselines/distca/balance.h"
#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::distca {
namespace {

Batch one_document(int64_t tokens, uint64_t) { return {.document_lengths = {tokens}}; }

// One document of half the pack among short ones.
Batch one_giant(int64_t tokens, uint64_t seed) {
  Batch batch = flashcp::pile_like_pack(tokens / 2, seed);
  batch.document_lengths.insert(batch.document_lengths.begin(), tokens / 2);
  return batch;
}

Problem problem_of(Batch (*pack)(int64_t, uint64_t), int32_t ranks) {
  Problem problem;
  problem.batch = pack(ranks * int64_t{32 << 10}, 1);
  problem.cluster = {.nodes = ranks / 8, .gpus_per_node = 8};
  return problem;
}

Plan plan_of(const Problem& problem, const char* layout) {
  const Strategy& s = find_strategy("distca");
  return s.plan(problem, Options(s.name, s.options, {{"layout", layout}}));
}

double imbalance(const std::vector<int64_t>& pairs, const MaskIndex& mask) {
  return static_cast<double>(*std::max_element(pairs.begin(), pairs.end())) *
         static_cast<double>(pairs.size()) / static_cast<double>(mask.pairs());
}

void DistcaPlan(benchmark::State& state, Batch (*pack)(int64_t, uint64_t), const char* layout) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  const Problem problem = problem_of(pack, ranks);
  for (auto _ : state) benchmark::DoNotOptimize(plan_of(problem, layout));
  const MaskIndex mask(problem.batch);
  const bool mirrored = std::string(layout) == "head_tail";
  const std::vector<Item> items =
      mirrored ? head_tail_items(mask, ranks) : contiguous_items(mask, ranks);
  const Balanced after = balance(items, mask, ranks, 0.1, {4096, 4096});
  std::vector<int64_t> before(ranks, 0);
  for (const Item& item : items) before[item.home] += work_of(item, mask);
  int64_t moved = 0;
  for (const Item& item : after.items) moved += item.home == item.server ? 0 : item.queries();
  state.counters["before"] = imbalance(before, mask);
  state.counters["after"] = imbalance(after.work, mask);
  state.counters["within"] = after.within_tolerance;
  state.counters["moved"] = static_cast<double>(moved) / static_cast<double>(mask.tokens());
}

void DistcaCheck(benchmark::State& state, Batch (*pack)(int64_t, uint64_t), const char* layout) {
  const Problem problem = problem_of(pack, static_cast<int32_t>(state.range(0)));
  const Plan plan = plan_of(problem, layout);
  for (auto _ : state) benchmark::DoNotOptimize(check(problem, plan).ok());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(DistcaPlan, pile_like, flashcp::pile_like_pack, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaPlan, wlb_like, flashcp::wlb_like_pack, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaPlan, one_giant, one_giant, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaPlan, one_document, one_document, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaPlan, wlb_like_contiguous, flashcp::wlb_like_pack, "contiguous")
    ->Apply(sizes);
BENCHMARK_CAPTURE(DistcaPlan, one_document_contiguous, one_document, "contiguous")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaCheck, pile_like, flashcp::pile_like_pack, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaCheck, wlb_like, flashcp::wlb_like_pack, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaCheck, one_giant, one_giant, "head_tail")->Apply(sizes);
BENCHMARK_CAPTURE(DistcaCheck, one_document_contiguous, one_document, "contiguous")->Apply(sizes);

}  // namespace
}  // namespace cpbench::distca
