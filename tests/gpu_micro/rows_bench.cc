// Times row operations: bytes read and written per second, and `of_memcpy`, their ratio to the rate
// of a cudaMemcpy that reads and writes as many bytes. Names have the operation, elements and
// dtype.
#include <benchmark/benchmark.h>

#include <functional>
#include <map>
#include <string>

#include "harness/plan/sizes.h"
#include "tests/gpu_micro/gpu_bench.h"

namespace cpbench {
namespace {

constexpr Heads kHeads{0, 8};
constexpr int32_t kWidth = 128;
constexpr int64_t kLaunches = 10;  // per sample

AttentionShape shape_of(Dtype dtype) {
  return {.query_heads = kHeads.size(),
          .kv_heads = kHeads.size(),
          .head_dim = kWidth,
          .value_head_dim = kWidth,
          .dtype = dtype};
}

// Bytes read and written per second by a copy of half of `bytes`: the best of ten samples.
double memcpy_rate(int64_t bytes) {
  static std::map<int64_t, double> known;
  double& rate = known[bytes];
  if (rate > 0) return rate;
  const auto half = static_cast<size_t>(bytes / 2);
  const DeviceArray<std::byte> from(half), to(half);
  Stopwatch watch(stream());
  for (int i = 0; i < 10; ++i) {
    const double seconds = watch.seconds(
        [&] {
          check_cuda(
              cudaMemcpyAsync(to.data(), from.data(), half, cudaMemcpyDeviceToDevice, stream()),
              "cudaMemcpyAsync");
        },
        kLaunches);
    rate = std::max(rate, static_cast<double>(bytes) / seconds);
  }
  return rate;
}

void sample(benchmark::State& state, int64_t bytes, const std::function<void()>& launch) {
  Stopwatch watch(stream());
  watch.seconds(launch, kLaunches);
  double seconds = 0;
  for (auto _ : state) {
    const double once = watch.seconds(launch, kLaunches);
    seconds += once;
    state.SetIterationTime(once);
  }
  const double rate =
      static_cast<double>(bytes * static_cast<int64_t>(state.iterations())) / seconds;
  state.counters["bytes_per_second"] =
      benchmark::Counter(rate, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
  state.counters["of_memcpy"] = rate / memcpy_rate(bytes);
}

struct RowCase {
  std::string name;
  RowMode mode;
  Tensor tensor;
  Dtype dtype;
  ElementClass from, to;
  int32_t rows_per_run = 0;  // 0: all rows are one run
};

int64_t rows_for(int64_t elements) { return elements / (kHeads.size() * kWidth); }

DeviceBuffer filled(Dtype dtype, Tensor tensor, ElementClass elements, int64_t rows) {
  DeviceBuffer buffer({.tensor = tensor, .elements = elements, .heads = kHeads, .rows = rows},
                      shape_of(dtype));
  fill_all(buffer);
  return buffer;
}

// All rows, or every other block of rows.
std::vector<RowRun> runs_of(int64_t rows, int32_t rows_per_run) {
  if (rows_per_run == 0) return {{0, 0, static_cast<int32_t>(rows)}};
  std::vector<RowRun> runs;
  for (int32_t row = 0; row + rows_per_run <= rows; row += 2 * rows_per_run) {
    runs.push_back({row, row, rows_per_run});
  }
  return runs;
}

void row_operation(benchmark::State& state, const RowCase& c, int64_t elements) {
  const int64_t rows = rows_for(elements);
  const DeviceBuffer source = filled(c.dtype, c.tensor, c.from, rows);
  const DeviceBuffer target = filled(c.dtype, c.tensor, c.to, rows);
  RankProgram program;
  program.runs = runs_of(rows, c.rows_per_run);
  const RowOp op{
      .mode = c.mode, .heads = kHeads, .runs = static_cast<int32_t>(program.runs.size())};
  program.row_ops = {op};
  const DeviceRuns runs(program);
  int64_t bytes = target.bound.parts.bytes;
  if (c.mode != RowMode::clear) bytes += source.bound.parts.bytes;
  if (c.mode == RowMode::accumulate) bytes += target.bound.parts.bytes;
  bytes = bytes / rows * runs.rows_of(op);
  sample(state, bytes,
         [&] { launch_row_op(op, runs, c.tensor, source.bound, target.bound, stream()); });
}

void row_sums(benchmark::State& state, int64_t elements) {
  const int64_t rows = rows_for(elements);
  const DeviceBuffer o = filled(Dtype::bfloat16, Tensor::o, ElementClass::accumulation, rows);
  const DeviceBuffer d_o = filled(Dtype::bfloat16, Tensor::d_o, ElementClass::model, rows);
  sample(state, o.bound.parts.bytes + d_o.bound.parts.bytes,
         [&] { launch_row_sums(o.bound, d_o.bound, rows, stream()); });
}

void fill(benchmark::State& state, int64_t elements) {
  const int64_t rows = rows_for(elements);
  const DeviceBuffer q = filled(Dtype::bfloat16, Tensor::q, ElementClass::model, rows);
  sample(state, q.bound.parts.bytes, [&] { q.fill(0, Input::q, 1, stream()); });
}

}  // namespace

void register_rows() {
  constexpr auto kModel = ElementClass::model;
  constexpr auto kSum = ElementClass::accumulation;
  const std::vector<RowCase> cases = {
      {"copy", RowMode::store, Tensor::kv, Dtype::bfloat16, kModel, kModel, 0},
      {"copy_runs_of_100", RowMode::store, Tensor::kv, Dtype::bfloat16, kModel, kModel, 100},
      {"copy_runs_of_1", RowMode::store, Tensor::kv, Dtype::bfloat16, kModel, kModel, 1},
      {"widen", RowMode::store, Tensor::dkv, Dtype::bfloat16, kModel, kSum, 0},
      {"narrow", RowMode::store, Tensor::dkv, Dtype::bfloat16, kSum, kModel, 0},
      {"clear", RowMode::clear, Tensor::dkv, Dtype::float32, kSum, kSum, 0},
      {"add", RowMode::accumulate, Tensor::dkv, Dtype::float32, kSum, kSum, 0},
      {"add_from_bfloat16", RowMode::accumulate, Tensor::dkv, Dtype::bfloat16, kModel, kSum, 0},
      {"add_runs_of_100", RowMode::accumulate, Tensor::dkv, Dtype::float32, kSum, kSum, 100},
      {"merge", RowMode::accumulate, Tensor::o, Dtype::float32, kSum, kSum, 0},
      {"merge_from_bfloat16", RowMode::accumulate, Tensor::o, Dtype::bfloat16, kModel, kSum, 0},
      {"merge_runs_of_100", RowMode::accumulate, Tensor::o, Dtype::float32, kSum, kSum, 100},
  };
  const auto add = [](const std::string& name, int64_t elements, const std::string& dtype,
                      const std::function<void(benchmark::State&)>& run) {
    benchmark::RegisterBenchmark((name + "/" + size_text(elements) + "/" + dtype).c_str(), run)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  // Much smaller than a cache, about as large, and much larger.
  for (const int64_t elements : {int64_t{1} << 20, int64_t{16} << 20, int64_t{256} << 20}) {
    for (const RowCase& c : cases) {
      const char* dtype = c.dtype == Dtype::bfloat16 ? "bfloat16" : "float32";
      add(c.name, elements, dtype,
          [=](benchmark::State& state) { row_operation(state, c, elements); });
    }
    add("row_sums", elements, "bfloat16",
        [=](benchmark::State& state) { row_sums(state, elements); });
    add("fill", elements, "bfloat16", [=](benchmark::State& state) { fill(state, elements); });
  }
}

}  // namespace cpbench
