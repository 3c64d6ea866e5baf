// FlashCP's planner: one decision (which shard to which rank), the whole plan with it, what it
// saves on all shipped length sets, and how far the heuristic is from the exact solver. Counters
// are means over the packs: communication saving, imbalance (max / mean work), share of documents
// kept whole.
//   cpbench_micro --benchmark_filter=Flashcp
#include <benchmark/benchmark.h>

#include "harness/strategy/strategy.h"
#include "methods/flashcp/exact.h"
#include "methods/flashcp/heuristic.h"
#include "methods/flashcp/test_batches.h"
#include "workloads/workload.h"

namespace cpbench::flashcp {
namespace {

// One iteration takes the next of these packs, so that the mean is over typical ones.
constexpr int kPacks = 16;

std::vector<Batch> packs(Batch (*pack)(int64_t, uint64_t), int64_t tokens) {
  std::vector<Batch> all;
  for (int i = 0; i < kPacks; ++i) all.push_back(pack(tokens, i));
  return all;
}

// Packs of a shipped length set, as a Batch generator like those of test_batches.h.
Batch real_pack(const char* workload, int64_t tokens, uint64_t seed) {
  return make_packs(*find_workload(workload), {.tokens = tokens, .seed = seed}).front();
}
Batch pile_pack(int64_t tokens, uint64_t seed) { return real_pack("pile", tokens, seed); }
Batch wlb_llm_pack(int64_t tokens, uint64_t seed) { return real_pack("wlb_llm", tokens, seed); }

void FlashcpDecision(benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  const std::vector<Batch> all = packs(pack, state.range(1));
  size_t next = 0;
  for (auto _ : state) {
    const Batch& batch = all[next++ % kPacks];
    benchmark::DoNotOptimize(place(batch.document_lengths, ranks, Visibility(batch), {}));
  }
  if (state.range(1) > 128 << 10) return;  // seconds a pack
  for (const Batch& batch : all) {
    const Visibility sees(batch);
    const auto& documents = batch.document_lengths;
    const Load load = load_of(place(documents, ranks, sees, {}), documents, ranks, sees);
    state.counters["saving"] += load.saving() / kPacks;
    state.counters["imbalance"] += load.imbalance() / kPacks;
  }
}

double share_kept_whole(const Shards& shards, size_t documents) {
  double whole = 0;
  for_each_document(shards, [&](DocumentShards document) { whole += document.size() == 1; });
  return whole / static_cast<double>(documents);
}

// 4 packs of every shipped length set.
void FlashcpSaving(benchmark::State& state) {
  constexpr int kSeeds = 4;
  std::vector<Batch> all;
  for (const WorkloadSummary& set : list_workloads()) {
    if (set.kind != "lengths") continue;
    for (int seed = 1; seed <= kSeeds; ++seed) {
      all.push_back(real_pack(set.name.c_str(), state.range(1), seed));
    }
  }
  const auto ranks = static_cast<int32_t>(state.range(0));
  const auto packs = static_cast<double>(all.size());
  for (auto _ : state) {
    state.counters.clear();
    for (const Batch& batch : all) {
      const Visibility sees(batch);
      const auto& documents = batch.document_lengths;
      const Shards shards = place(documents, ranks, sees, {});
      const Load load = load_of(shards, documents, ranks, sees);
      state.counters["saving"] += load.saving() / packs;
      state.counters["imbalance"] += load.imbalance() / packs;
      state.counters["whole"] += share_kept_whole(shards, documents.size()) / packs;
    }
  }
}

// 16 tokens, cut anywhere, on 3 ranks within a ratio of 1.2: small enough for a proof in seconds.
void FlashcpGap(benchmark::State& state) {
  constexpr int kSmallPacks = 8;
  for (auto _ : state) {
    state.counters.clear();
    for (int seed = 0; seed < kSmallPacks; ++seed) {
      const Batch batch = heavy_tailed_pack(16, 2.72, 1.3, seed);
      const Visibility sees(batch);
      const auto& documents = batch.document_lengths;
      const Load heuristic = load_of(place(documents, 3, sees, {.ratio = 1.2}), documents, 3, sees);
      const Load exact =
          load_of(place_exactly(documents, 3, sees, {.ratio = 1.2, .granularity_tokens = 1}),
                  documents, 3, sees);
      state.counters["heuristic_saving"] += heuristic.saving() / kSmallPacks;
      state.counters["exact_saving"] += exact.saving() / kSmallPacks;
      state.counters["equal"] += heuristic.padded_tokens() == exact.padded_tokens();
    }
  }
}

void FlashcpPlan(benchmark::State& state, Batch (*pack)(int64_t, uint64_t), const char* transfers) {
  const Strategy& flashcp = find_strategy("flashcp");
  const Options options("flashcp", flashcp.options, {{"transfers", transfers}});
  std::vector<Problem> problems;
  for (Batch& batch : packs(pack, state.range(1))) {
    Problem problem;
    problem.batch = std::move(batch);
    problem.cluster.gpus_per_node = static_cast<int32_t>(state.range(0));
    problems.push_back(problem);
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(flashcp.plan(problems[next++ % kPacks], options));
  }
}

void at_all_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"ranks", "tokens"})->Unit(benchmark::kMicrosecond);
  benchmark->Args({4, 8 << 10})
      ->Args({4, 16 << 10})
      ->Args({8, 128 << 10})
      ->Args({256, 256 * (32 << 10)})
      ->Args({1024, 1024 * (32 << 10)});
}

BENCHMARK_CAPTURE(FlashcpDecision, pile, pile_pack)->Apply(at_all_sizes);
BENCHMARK_CAPTURE(FlashcpDecision, wlb_llm, wlb_llm_pack)->Apply(at_all_sizes);
BENCHMARK(FlashcpSaving)
    ->ArgNames({"ranks", "tokens"})
    ->ArgsProduct({{4, 8, 16, 32}, {8 << 10, 32 << 10, 128 << 10}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(FlashcpGap)->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(FlashcpPlan, pile_padded, pile_pack, "padded")->Apply(at_all_sizes);
BENCHMARK_CAPTURE(FlashcpPlan, wlb_llm_padded, wlb_llm_pack, "padded")->Apply(at_all_sizes);
BENCHMARK_CAPTURE(FlashcpPlan, wlb_llm_exact, wlb_llm_pack, "exact")->Apply(at_all_sizes);

}  // namespace
}  // namespace cpbench::flashcp
