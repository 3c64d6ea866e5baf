// Planning, checking and reporting: every strategy on a real length set, and the cases in the
// READMEs of the strategies.
//   cpbench_micro --benchmark_filter='(Plan|Check)Strategy/.*/256$'
//   cpbench_micro --benchmark_filter=Strategy/magi/
#include "tests/micro/plan_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>

#include "harness/measure/plan_summary.h"
#include "harness/plan/check.h"
#include "harness/plan/mask.h"
#include "tests/micro/large_plans.h"

namespace cpbench {
namespace {

struct Case {
  std::string strategy, pack;
  std::vector<int64_t> ranks;
  OptionValues options = {};
  uint64_t seed = 1;

  std::string name() const {
    const Options set(strategy, find_strategy(strategy).options, options);
    std::string text = strategy + "/" + pack;
    if (!options.empty()) text += "/" + set.changed();
    return seed == 1 ? text : text + "/seed:" + std::to_string(seed);
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Strategy* s : strategies()) all.push_back({s->name, "wlb_llm", {8, 256, 1024}});
  for (const char* pack : {"pile_like", "wlb_like", "one_document"}) {
    all.push_back({"dcp", pack, {8, 64}});
    all.push_back({"distca", pack, {64, 256}});
    all.push_back({"magi", pack, {64, 256}});
  }
  all.push_back({"distca", "one_giant", {64, 256}});
  for (const char* pack : {"wlb_like", "one_document"}) {
    all.push_back({"distca", pack, {64, 256}, {{"layout", "contiguous"}}});
    all.push_back({"magi", pack, {256}, {{"stages", "4"}}});
  }
  for (const char* pack : {"pile_like", "wlb_like"}) {
    for (const char* name : {"bytescale", "megatron_hybrid", "megatron_dynamic", "zeppelin"}) {
      all.push_back({name, pack, {256}});
    }
    for (const char* name : {"usp", "loongtrain", "wlb"}) {
      all.push_back({name, pack, {8, 64, 256, 1024}});
    }
    all.push_back({"flexcp", pack, {64, 256, 1024}});
    for (uint64_t seed : {1, 2, 3, 4}) all.push_back({"flexsp", pack, {64}, {}, seed});
  }
  for (const char* pack : {"lognormal:mean=16K,sigma=2", "prolong512k", "pile"}) {
    all.push_back({"fcp", pack, {64, 256, 1024}});
  }
  return all;
}

double max_over_mean(const std::vector<int64_t>& load) {
  const auto sum = static_cast<double>(std::accumulate(load.begin(), load.end(), int64_t{0}));
  return static_cast<double>(*std::ranges::max_element(load)) * static_cast<double>(load.size()) /
         sum;
}

Problem problem_of(const benchmark::State& state, const Case& c) {
  const auto ranks = static_cast<int32_t>(state.range(0));
  Problem problem = problem_at(c.pack, ranks, c.seed);
  // Ulysses needs a query head for each rank.
  if (c.strategy == "ulysses" || c.strategy == "upipe") {
    problem.shape.query_heads = std::max(32, ranks);
  }
  if (c.strategy == "halo") {
    problem.batch.mask = Mask::sliding_window;
    problem.batch.window = 4096;
  }
  return problem;
}

void plan_strategy(benchmark::State& state, const Case& c) {
  const Problem problem = problem_of(state, c);
  for (auto _ : state) benchmark::DoNotOptimize(plan_with(c.strategy, c.options, problem));
}

// Counters: max / mean over the ranks of attended pairs, of the pairs of the queries at home and of
// tokens; gigabytes of the forward pass; sizes of the plan.
void check_strategy(benchmark::State& state, const Case& c) {
  const Problem problem = problem_of(state, c);
  const Plan plan = plan_with(c.strategy, c.options, problem);
  CheckReport report;
  for (auto _ : state) report = check(problem, plan);
  if (!report.ok()) return state.SkipWithError(report.violations.front().text().c_str());
  const PlanSummary summary = summary_of(problem, plan, report, Passes::both);
  const MaskIndex mask(problem.batch);
  std::vector<int64_t> pairs_at_home;
  for (SetId home : plan.home) pairs_at_home.push_back(mask.pairs(plan.token_sets[home]));
  int64_t ranges = 0;
  for (SetId id = 0; id < plan.token_sets.count(); ++id) ranges += std::ssize(plan.token_sets[id]);
  state.counters["pairs"] = max_over_mean(summary.pairs_per_rank);
  state.counters["pairs_at_home"] = max_over_mean(pairs_at_home);
  state.counters["tokens"] = max_over_mean(summary.tokens_per_rank);
  state.counters["forward_GB"] = static_cast<double>(summary.forward.wire_bytes) * 1e-9;
  state.counters["operations"] =
      static_cast<double>(summary.forward.attends + summary.forward.sends +
                          summary.backward.attends + summary.backward.sends);
  state.counters["ranges"] = static_cast<double>(ranges);
}

// Counters: what the strategy reports.
void report_strategy(benchmark::State& state, const Case& c) {
  const Strategy& strategy = find_strategy(c.strategy);
  const Options options(c.strategy, strategy.options, c.options);
  const Problem problem = problem_of(state, c);
  std::vector<ReportedValue> report;
  for (auto _ : state) report = strategy.report(problem, options);
  for (const ReportedValue& value : report) state.counters[value.name] = value.value;
}

void add(const char* prefix, const Case& c, void (*body)(benchmark::State&, const Case&)) {
  const auto supported = [=](benchmark::State& state) {
    try {
      body(state, c);
    } catch (const Unsupported& reason) {
      state.SkipWithError(reason.what());
    }
  };
  auto* added = benchmark::RegisterBenchmark((prefix + c.name()).c_str(), supported);
  for (int64_t ranks : c.ranks) added->Arg(ranks)->Unit(benchmark::kMillisecond);
}

}  // namespace

void register_plan_benchmarks() {
  for (const Case& c : cases()) {
    add("PlanStrategy/", c, plan_strategy);
    add("CheckStrategy/", c, check_strategy);
    if (find_strategy(c.strategy).report) add("ReportStrategy/", c, report_strategy);
  }
}

}  // namespace cpbench
