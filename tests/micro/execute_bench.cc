// What the threads executor itself costs: the share of a step that is neither kernel, copy, merge,
// send nor wait, at 2 ranks x 8K tokens, and the bytes per second of its row operations.
#include <benchmark/benchmark.h>

#include "harness/compile/compile.h"
#include "harness/execute/bound_buffer.h"
#include "harness/execute/execute.h"
#include "tests/micro/large_plans.h"

namespace cpbench {
namespace {

void overhead_share(benchmark::State& state, const char* name) {
  Problem problem;
  problem.batch.document_lengths = {3000, 700, 9000, 120, 3564};  // 16K
  problem.shape = {.query_heads = 2, .kv_heads = 2, .head_dim = 64, .value_head_dim = 64};
  problem.cluster.gpus_per_node = 2;
  const Plan plan = plan_with(name, {}, problem);
  const Program program = compile(problem, plan, Passes::both);
  double worst = 0, total = 0;
  for (auto _ : state) {
    const Timeline t = execute_threads(problem, program, {.warmup = 1, .iterations = 2});
    for (size_t i = 0; i < t.seconds.size(); ++i) {
      worst = std::max(worst, t.overhead_seconds[i] / t.seconds[i]);
      total = std::max(total, t.seconds[i]);
    }
  }
  state.counters["overhead_percent"] = 100 * worst;
  state.counters["iteration_seconds"] = total;
}

BENCHMARK_CAPTURE(overhead_share, zigzag, "zigzag")->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(overhead_share, allgather, "allgather")->Iterations(1)->Unit(benchmark::kSecond);

void row_op(benchmark::State& state, RowMode mode, Tensor tensor) {
  const AttentionShape shape;
  const Heads heads{0, shape.query_heads};
  const Buffer buffer{
      .tensor = tensor, .elements = ElementClass::accumulation, .heads = heads, .rows = 4096};
  const Arena a(parts_of(buffer, shape).bytes), b(parts_of(buffer, shape).bytes);
  const BoundBuffer source = bound_at(buffer, shape, a.data());
  const BoundBuffer target = bound_at(buffer, shape, b.data());
  const std::vector<RowRun> runs = {{0, 0, static_cast<int32_t>(buffer.rows)}};
  RowOp op{.mode = RowMode::clear, .heads = heads};
  run_row_op(op, runs, Tensor::dq, source, source);
  run_row_op(op, runs, Tensor::dq, target, target);
  op.mode = mode;
  for (auto _ : state) run_row_op(op, runs, tensor, source, target);
  state.SetBytesProcessed(state.iterations() * source.parts.bytes);
}

BENCHMARK_CAPTURE(row_op, copy_q, RowMode::store, Tensor::q);
BENCHMARK_CAPTURE(row_op, add_dq, RowMode::accumulate, Tensor::dq);
BENCHMARK_CAPTURE(row_op, merge_o, RowMode::accumulate, Tensor::o);

}  // namespace
}  // namespace cpbench
