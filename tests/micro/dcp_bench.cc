// DCP's planner and the check of its plans, 32K tokens per rank, 8 ranks per node. Counters: max /
// mean of attention pairs and of tokens, block size, compute blocks, and gigabytes moved in the
// forward pass (32 query and 8 KV heads of 128, bf16).
//   cpbench_micro --benchmark_filter=Dcp
#include <benchmark/benchmark.h>

#include <algorithm>

#include "baselines/dcp/placement.h"
#include "harness/plan/check.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/strategy.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::dcp {
namespace {

Batch one_document(int64_t tokens, uint64_t) { return {.document_lengths = {tokens}}; }

Problem problem_of(Batch (*pack)(int64_t, uint64_t), int32_t ranks) {
  Problem problem;
  problem.batch = pack(ranks * int64_t{32 << 10}, 1);
  problem.shape = {.query_heads = 32,
                   .kv_heads = 8,
                   .head_dim = 128,
                   .value_head_dim = 128,
                   .dtype = Dtype::bfloat16};
  problem.cluster = {.nodes = ranks / 8, .gpus_per_node = 8};
  return problem;
}

Plan plan_of(const Problem& problem) {
  const Strategy& s = find_strategy("dcp");
  return s.plan(problem, Options(s.name, s.options, {}));
}

double max_over_mean(const std::vector<int64_t>& load) {
  double sum = 0;
  for (int64_t l : load) sum += static_cast<double>(l);
  return static_cast<double>(*std::max_element(load.begin(), load.end())) *
         static_cast<double>(load.size()) / sum;
}

void DcpPlan(benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  const Problem problem = problem_of(pack, static_cast<int32_t>(state.range(0)));
  Plan plan;
  for (auto _ : state) plan = plan_of(problem);
  const MaskIndex mask(problem.batch);
  std::vector<int64_t> pairs(problem.ranks(), 0), tokens;
  for (const Attend& a : plan.forward.attends) {
    pairs[a.rank] += mask.pairs(plan.token_sets[a.q], plan.token_sets[a.kv]);
  }
  for (SetId home : plan.home) tokens.push_back(plan.token_sets.size_of(home));
  int64_t bytes = 0;
  for (const Send& s : plan.forward.sends) {
    bytes += cost_of(s, plan.forward, plan, problem.shape).total();
  }
  const int64_t block_tokens = default_block_tokens(mask, problem.ranks());
  state.counters["pairs"] = max_over_mean(pairs);
  state.counters["tokens"] = max_over_mean(tokens);
  state.counters["block"] = static_cast<double>(block_tokens);
  state.counters["compute"] = static_cast<double>(make_blocks(mask, block_tokens).compute.size());
  state.counters["GB"] = static_cast<double>(bytes) * 1e-9;
  state.counters["attends"] = static_cast<double>(plan.forward.attends.size());
}

void DcpCheck(benchmark::State& state, Batch (*pack)(int64_t, uint64_t)) {
  const Problem problem = problem_of(pack, static_cast<int32_t>(state.range(0)));
  const Plan plan = plan_of(problem);
  for (auto _ : state) benchmark::DoNotOptimize(check(problem, plan).ok());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->Iterations(1);
}

BENCHMARK_CAPTURE(DcpPlan, pile_like, flashcp::pile_like_pack)->Apply(sizes);
BENCHMARK_CAPTURE(DcpPlan, wlb_like, flashcp::wlb_like_pack)->Apply(sizes);
BENCHMARK_CAPTURE(DcpPlan, one_document, one_document)->Apply(sizes);
BENCHMARK_CAPTURE(DcpCheck, pile_like, flashcp::pile_like_pack)->Apply(sizes);
BENCHMARK_CAPTURE(DcpCheck, wlb_like, flashcp::wlb_like_pack)->Apply(sizes);
BENCHMARK_CAPTURE(DcpCheck, one_document, one_document)->Apply(sizes);

}  // namespace
}  // namespace cpbench::dcp
