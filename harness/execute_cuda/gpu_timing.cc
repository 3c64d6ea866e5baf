#include "harness/execute_cuda/gpu_timing.h"

#include <algorithm>
#include <functional>

#include "harness/execute/call_tensors.h"
#include "harness/execute/median.h"
#include "harness/execute_cuda/device_buffer.h"
#include "harness/execute_cuda/gpu_program.h"
#include "harness/execute_cuda/stopwatch.h"

namespace cpbench {
namespace {

// Each sample takes at least this long, launch after launch, because the clock of events ticks in
// half microseconds.
constexpr double kLeastSeconds = 200e-6;
constexpr double kEnoughSeconds = 20e-3;  // of all samples
constexpr int kMostSamples = 30;
constexpr uint64_t kSeed = 1;

double median_seconds(Stopwatch& stopwatch, const std::function<void()>& work) {
  stopwatch.seconds(work, 1);  // warms up
  const double first = std::max(stopwatch.seconds(work, 1), 1e-7);
  const auto repeats =
      static_cast<int64_t>(std::clamp(kLeastSeconds / first, 1.0, static_cast<double>(kMostGated)));
  std::vector<double> samples;
  double total = 0;
  while (samples.empty() || (total < kEnoughSeconds && std::ssize(samples) < kMostSamples)) {
    samples.push_back(stopwatch.seconds(work, repeats));
    total += samples.back() * static_cast<double>(repeats);
  }
  return median_of(std::move(samples));
}

// One operation on all rows of two buffers.
class AllRows {
 public:
  AllRows(RowMode mode, const DeviceBuffer& source, const DeviceBuffer& target)
      : source_(source),
        target_(target),
        op_{.mode = mode, .source = 0, .target = 1, .heads = target.layout.heads, .runs = 1},
        runs_(program_of(op_, static_cast<int32_t>(target.layout.rows))) {}
  void launch(cudaStream_t stream) const {
    launch_row_op(op_, runs_, target_.layout.tensor, source_.bound, target_.bound, stream);
  }

 private:
  static RankProgram program_of(const RowOp& op, int32_t rows) {
    RankProgram program;
    program.row_ops = {op};
    program.runs = {{.rows = rows}};
    return program;
  }
  const DeviceBuffer& source_;
  const DeviceBuffer& target_;
  RowOp op_;
  DeviceRuns runs_;
};

void time_call(const GpuKernel& kernel, const AttentionShape& shape, TimedCall& call) {
  const RowsOfCall rows(call.segments);
  const Stream stream;
  const auto fill = [&](const DeviceBuffer& buffer, int32_t part, Input input) {
    buffer.fill(part, input, kSeed, stream);
  };
  Stopwatch stopwatch(stream);
  const auto time = [&](const std::unique_ptr<BoundCall>& bound) {
    const DeviceArray<std::byte> workspace(static_cast<size_t>(bound->workspace_bytes()));
    return median_seconds(stopwatch, [&] { bound->launch(stream, workspace.data()); });
  };
  const ForwardTensors<DeviceBuffer> in(shape, call.heads, rows.q, rows.kv, ElementClass::model);
  in.fill_inputs(fill);
  call.forward_seconds = time(kernel.bind(in.call(call.segments)));

  const BackwardTensors<DeviceBuffer> out(in);
  out.fill_inputs(fill);
  launch_row_sums(in.o.bound, out.d_o.bound, rows.q, stream);
  call.backward_seconds = time(kernel.bind(out.call(in, call.segments)));
}

}  // namespace

std::vector<double> replay_program(const AttentionShape& shape, const RankProgram& program,
                                   const GpuKernel& kernel, const ReplayOptions& options) {
  const Stream stream;
  GpuProgram on_gpu(program, shape, kernel);
  on_gpu.fill_everything(kSeed, stream);
  struct Marks {
    CudaEvent start{CudaEvent::Kind::time}, end{CudaEvent::Kind::time};
  };
  std::vector<int32_t> timed;  // indices of operations
  for (int32_t i = 0; i < std::ssize(program.ops); ++i) {
    if (!exchanges_bytes(program.ops[i].kind)) timed.push_back(i);
  }
  const std::vector<Marks> marks(timed.size());
  std::vector<std::vector<double>> samples(timed.size());
  Gate gate;
  for (int32_t iteration = 0; iteration <= options.iterations; ++iteration) {
    for (size_t first = 0; first < timed.size(); first += kMostGated) {
      const size_t end = std::min(first + kMostGated, timed.size());
      gate.close(stream);
      for (size_t i = first; i < end; ++i) {
        marks[i].start.record(stream);
        on_gpu.run(program.ops[timed[i]], stream);
        marks[i].end.record(stream);
      }
      gate.open();
      stream.synchronize();
    }
    if (iteration == 0) continue;  // warms up
    for (size_t i = 0; i < timed.size(); ++i) {
      samples[i].push_back(marks[i].end.seconds_since(marks[i].start));
    }
  }
  std::vector<double> seconds(program.ops.size());
  for (size_t i = 0; i < timed.size(); ++i) seconds[timed[i]] = median_of(std::move(samples[i]));
  return seconds;
}

void time_gpu_calls(const GpuKernel& kernel, const AttentionShape& shape,
                    std::span<TimedCall> calls) {
  for (TimedCall& call : calls) time_call(kernel, shape, call);
}

RowRates measure_gpu_row_rates(const AttentionShape& shape, int64_t rows) {
  const Stream stream;
  Stopwatch stopwatch(stream);
  RowRates rates;
  {
    const Buffer kv{.tensor = Tensor::kv, .heads = {0, shape.kv_heads}, .rows = rows};
    const DeviceBuffer from(kv, shape), to(kv, shape);
    const AllRows copy(RowMode::store, from, to);
    const double seconds = median_seconds(stopwatch, [&] { copy.launch(stream); });
    rates.copied_bytes_per_second = 2.0 * static_cast<double>(to.bound.parts.bytes) / seconds;
  }
  Buffer o{.tensor = Tensor::o, .heads = {0, shape.query_heads}, .rows = rows};
  const DeviceBuffer partial(o, shape);
  o.elements = ElementClass::accumulation;
  const DeviceBuffer sum(o, shape);
  for (const DeviceBuffer* buffer : {&partial, &sum}) {
    for (int32_t part : {0, 1}) buffer->fill(part, Input::q, kSeed, stream);
  }
  const AllRows merge(RowMode::accumulate, partial, sum);
  const double seconds = median_seconds(stopwatch, [&] { merge.launch(stream); });
  const double elements = static_cast<double>(rows) * shape.query_heads * shape.value_head_dim;
  rates.merged_elements_per_second = elements / seconds;
  return rates;
}

double measure_launch_seconds() {
  const AttentionShape shape{.query_heads = 1, .kv_heads = 1, .head_dim = 8, .value_head_dim = 8};
  const Buffer one_row{.tensor = Tensor::kv, .heads = {0, 1}, .rows = 1};
  const DeviceBuffer from(one_row, shape), to(one_row, shape);
  const AllRows copy(RowMode::store, from, to);
  const Stream stream;
  Stopwatch stopwatch(stream);
  return median_seconds(stopwatch, [&] { copy.launch(stream); });
}

}  // namespace cpbench
