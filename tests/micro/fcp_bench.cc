// FCP's planner: edge colouring and placement at 32K tokens per rank and blocks of 4K, and how good
// the plans are on the real length sets.
//   cpbench_micro --benchmark_filter=Fcp
#include <benchmark/benchmark.h>

#include <algorithm>

#include "harness/plan/check.h"
#include "harness/strategy/strategy.h"
#include "methods/fcp/balance.h"
#include "methods/fcp/colouring.h"
#include "methods/fcp/schedule.h"
#include "tests/micro/large_plans.h"
#include "tests/micro/plan_bench.h"

namespace cpbench::fcp {
namespace {

// All ranks in one node.
Problem problem_of(const std::string& workload, int32_t ranks, uint64_t seed = 1) {
  Problem problem = problem_at(workload, ranks, seed);
  problem.cluster = {.nodes = 1, .gpus_per_node = ranks};
  return problem;
}

void FcpColouring(benchmark::State& state, const char* workload) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  const Schedule schedule = make_schedule(problem_of(workload, ranks), {});
  std::vector<Edge> edges;
  for (size_t i = 0; i < schedule.slots.size(); ++i) {
    const Transfer& t = schedule.needs.transfers[i];
    edges.push_back({t.from, t.to, schedule.slots[i].stage});
  }
  Colouring colouring;
  for (auto _ : state) {
    benchmark::DoNotOptimize(colouring = colour_edges(edges, ranks, FcpOptions().coalesce));
  }
  if (colouring.colours != max_degree(edges, ranks)) state.SkipWithError("more colours than D");
  state.counters["transfers"] = static_cast<double>(edges.size());
  state.counters["D"] = colouring.colours;
}

void FcpDistributor(benchmark::State& state, const char* workload) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  const Units units = cut(problem_of(workload, ranks).batch, {});
  for (auto _ : state) benchmark::DoNotOptimize(distribute(units.units, ranks, {}));
  state.counters["units"] = static_cast<double>(units.units.size());
}

void check_plan(benchmark::State& state, const Problem& problem, const Plan& plan) {
  for (auto _ : state) {
    const CheckReport report = check(problem, plan);
    if (!report.ok()) state.SkipWithError(report.violations[0].text().c_str());
  }
  state.counters["operations"] =
      static_cast<double>(plan.forward.sends.size() + plan.forward.attends.size() +
                          plan.backward.sends.size() + plan.backward.attends.size());
}

void schedule_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("ranks")->Unit(benchmark::kMillisecond)->Arg(64)->Arg(256)->Arg(1024);
}

#define FCP_ON(function)                                                                       \
  BENCHMARK_CAPTURE(function, lognormal, "lognormal:mean=16K,sigma=2")->Apply(schedule_sizes); \
  BENCHMARK_CAPTURE(function, prolong512k, "prolong512k")->Apply(schedule_sizes);              \
  BENCHMARK_CAPTURE(function, pile, "pile")->Apply(schedule_sizes)
FCP_ON(FcpColouring);
FCP_ON(FcpDistributor);

// One causal document, and options that make the most of it: every unit is sent whole, once for
// each unit of queries, and each transfer is a step of its own.
void FcpWholeUnitsCheck(benchmark::State& state) {
  Problem problem;
  problem.batch.document_lengths = {state.range(0)};
  problem.cluster.gpus_per_node = 2;
  const Strategy& fcp = find_strategy("fcp");
  const Options options("fcp", fcp.options,
                        {{"block", "2"}, {"dedup", "false"}, {"arm", "conflict_free"}});
  check_plan(state, problem, fcp.plan(problem, options));
  state.SetComplexityN(state.range(0) * state.range(0));  // operations
}
BENCHMARK(FcpWholeUnitsCheck)
    ->ArgName("tokens")
    ->Unit(benchmark::kMillisecond)
    ->RangeMultiplier(2)
    ->Range(64, 512)
    ->Complexity();

Problem one_document(int64_t tokens) {
  Problem problem;
  problem.batch.document_lengths = {tokens};
  problem.cluster.gpus_per_node = 64;
  return problem;
}

void FcpOneDocumentPlan(benchmark::State& state) {
  const Strategy& fcp = find_strategy("fcp");
  const Options options("fcp", fcp.options, {});
  const Problem problem = one_document(state.range(0) << 20);
  for (auto _ : state) benchmark::DoNotOptimize(fcp.plan(problem, options));
}

void FcpOneDocumentCheck(benchmark::State& state) {
  const Strategy& fcp = find_strategy("fcp");
  const Problem problem = one_document(state.range(0) << 20);
  check_plan(state, problem, fcp.plan(problem, Options("fcp", fcp.options, {})));
}

void document_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("Mtokens")->Unit(benchmark::kMillisecond)->Arg(1)->Arg(4)->Arg(16)->Arg(64);
}
BENCHMARK(FcpOneDocumentPlan)->Apply(document_sizes);
BENCHMARK(FcpOneDocumentCheck)->Apply(document_sizes);

// Quality over five packs of a length set: the worst imbalance (max / mean pairs) with and without
// local search, the largest unit over a rank's mean share, the least that any placement of these
// units has ("bound") and the worst ratio to it, D with and without the permutation, and the
// imbalance of what ranks send.
void FcpQuality(benchmark::State& state, const char* workload) {
  constexpr int kPacks = 5;
  const auto ranks = static_cast<int32_t>(state.range(0));
  for (auto _ : state) {
    state.counters.clear();
    const auto worst = [&](const char* name, double value) {
      double& counter = state.counters[name].value;
      counter = std::max(counter, value);
    };
    for (uint64_t seed = 1; seed <= kPacks; ++seed) {
      const Problem problem = problem_of(workload, ranks, seed);
      const Schedule schedule = make_schedule(problem, {});
      const Balance balance = balance_of(problem, schedule);
      FcpOptions plain;
      plain.permute = false;
      plain.distribute.local_search = false;
      const Schedule greedy = make_schedule(problem, plain);
      worst("imbalance", balance.compute);
      worst("greedy", balance_of(problem, greedy).compute);
      worst("largest_unit", balance.largest_unit);
      worst("bound", balance.compute_bound);
      worst("above_bound", balance.compute / balance.compute_bound);
      worst("sent", balance.sent);
      worst("received", balance.received);
      state.counters["D"] += schedule.degree / double{kPacks};
      state.counters["D_unpermuted"] += greedy.degree / double{kPacks};
    }
  }
}

}  // namespace
}  // namespace cpbench::fcp

void cpbench::register_fcp_benchmarks() {
  for (const std::string set : {"arxiv", "books", "code_files", "deepseek_r1", "longalign",
                                "magi_pretrain", "mooncake", "pile", "prolong512k", "prolong64k",
                                "starcoder", "textbook_chapters", "web", "wikipedia", "wlb_llm"}) {
    auto* added = benchmark::RegisterBenchmark(
        ("FcpQuality/" + set).c_str(),
        [set](benchmark::State& state) { fcp::FcpQuality(state, set.c_str()); });
    added->ArgName("ranks")->Iterations(1)->Unit(benchmark::kMillisecond);
    for (int64_t ranks : {8, 32, 128, 256}) added->Arg(ranks);
  }
}
