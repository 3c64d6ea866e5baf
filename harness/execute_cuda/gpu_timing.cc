#include "harness/execute_cuda/gpu_timing.h"

#include <algorithm>
#include <functional>

#include "harness/execute/bound_buffer.h"
#include "harness/execute_cuda/gpu_program.h"
#include "harness/execute_cuda/stream.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

// A sample is of so much work at least, back to back: an event's clock ticks in half microseconds.
constexpr double kLeastSeconds = 200e-6;
constexpr double kEnoughSeconds = 20e-3;  // of all samples
constexpr int kMostSamples = 30;
constexpr int kLaunches = 2000;
constexpr uint64_t kSeed = 1;

double median(std::vector<double> samples) {
  const auto middle = samples.begin() + std::ssize(samples) / 2;
  std::ranges::nth_element(samples, middle);
  return *middle;
}

class Stopwatch {
 public:
  explicit Stopwatch(cudaStream_t stream) : stream_(stream) {}
  double seconds(const std::function<void()>& work, int64_t repeats) {
    start_.record(stream_);
    for (int64_t i = 0; i < repeats; ++i) work();
    end_.record(stream_);
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return end_.seconds_since(start_) / static_cast<double>(repeats);
  }
  double median_seconds(const std::function<void()>& work) {
    seconds(work, 1);  // warms up
    const double first = std::max(seconds(work, 1), 1e-7);
    const auto repeats = static_cast<int64_t>(std::max(1.0, kLeastSeconds / first));
    std::vector<double> samples;
    double total = 0;
    while (samples.empty() || (total < kEnoughSeconds && std::ssize(samples) < kMostSamples)) {
      samples.push_back(seconds(work, repeats));
      total += samples.back() * static_cast<double>(repeats);
    }
    return median(std::move(samples));
  }

 private:
  cudaStream_t stream_;
  CudaEvent start_{CudaEvent::Kind::time}, end_{CudaEvent::Kind::time};
};

// A buffer with memory of its own.
struct OwnBuffer {
  OwnBuffer(const AttentionShape& shape, Tensor tensor, ElementClass elements, Heads heads,
            int64_t rows)
      : buffer{.tensor = tensor, .elements = elements, .heads = heads, .rows = rows},
        memory(static_cast<size_t>(parts_of(buffer, shape).bytes)),
        bound(bound_at(buffer, shape, memory.data())) {
    check_cuda(cudaMemset(memory.data(), 0, memory.size()), "cudaMemset");
  }
  Matrix part(int32_t index) const { return matrix_of(bound, index, buffer.heads); }
  void fill(int32_t index, Input input, cudaStream_t stream) const {
    launch_fill_input(part(index), input, {0, buffer.rows}, 0, kSeed, stream);
  }
  Buffer buffer;
  DeviceArray<std::byte> memory;
  BoundBuffer bound;
};

// All rows of two buffers alike, in one operation.
class AllRows {
 public:
  AllRows(RowMode mode, const OwnBuffer& source, const OwnBuffer& target)
      : source_(source),
        target_(target),
        op_{.mode = mode, .source = 0, .target = 1, .heads = target.buffer.heads, .runs = 1},
        runs_(program_of(op_, static_cast<int32_t>(target.buffer.rows))) {}
  void launch(cudaStream_t stream) const {
    launch_row_op(op_, runs_, target_.buffer.tensor, source_.bound, target_.bound, stream);
  }

 private:
  static RankProgram program_of(const RowOp& op, int32_t rows) {
    RankProgram program;
    program.row_ops = {op};
    program.runs = {{.rows = rows}};
    return program;
  }
  const OwnBuffer& source_;
  const OwnBuffer& target_;
  RowOp op_;
  DeviceRuns runs_;
};

void time_call(const GpuKernel& kernel, const AttentionShape& shape, TimedCall& call) {
  int64_t q_rows = 0, kv_rows = 0;
  for (const Segment& s : call.segments) {
    q_rows = std::max<int64_t>(q_rows, s.q_row + s.q_rows);
    kv_rows = std::max<int64_t>(kv_rows, s.kv_row + s.kv_rows);
  }
  const Heads heads = call.heads, kv_heads = kv_heads_of(heads, shape);
  constexpr ElementClass kModel = ElementClass::model, kSums = ElementClass::accumulation;
  const Stream stream;
  const OwnBuffer q(shape, Tensor::q, kModel, heads, q_rows);
  const OwnBuffer kv(shape, Tensor::kv, kModel, kv_heads, kv_rows);
  const OwnBuffer o(shape, Tensor::o, kModel, heads, q_rows);
  const OwnBuffer d_o(shape, Tensor::d_o, kModel, heads, q_rows);
  const OwnBuffer dq(shape, Tensor::dq, kSums, heads, q_rows);
  const OwnBuffer dkv(shape, Tensor::dkv, kSums, kv_heads, kv_rows);
  q.fill(0, Input::q, stream);
  kv.fill(0, Input::k, stream);
  kv.fill(1, Input::v, stream);
  d_o.fill(2, Input::d_o, stream);

  Stopwatch stopwatch(stream);
  const auto time = [&](const std::unique_ptr<BoundCall>& bound) {
    const DeviceArray<std::byte> workspace(static_cast<size_t>(bound->workspace_bytes()));
    return stopwatch.median_seconds([&] { bound->launch(stream, workspace.data()); });
  };
  const ForwardCall forward{shape,      heads,      call.segments, q.part(0),
                            kv.part(0), kv.part(1), o.part(1),     o.part(0)};
  call.forward_seconds = time(kernel.bind(forward));
  launch_row_sums(o.bound, d_o.bound, q_rows, stream);
  const BackwardCall backward{shape,       heads,      call.segments, q.part(0),
                              kv.part(0),  kv.part(1), d_o.part(2),   d_o.part(0),
                              d_o.part(1), dq.part(0), dkv.part(0),   dkv.part(1)};
  call.backward_seconds = time(kernel.bind(backward));
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
  std::vector<int32_t> timed;  // operations
  for (int32_t i = 0; i < std::ssize(program.ops); ++i) {
    if (!exchanges_bytes(program.ops[i].kind)) timed.push_back(i);
  }
  const std::vector<Marks> marks(timed.size());
  std::vector<std::vector<double>> samples(timed.size());
  for (int32_t iteration = 0; iteration <= options.iterations; ++iteration) {
    for (size_t i = 0; i < timed.size(); ++i) {
      marks[i].start.record(stream);
      on_gpu.run(program.ops[timed[i]], stream);
      marks[i].end.record(stream);
    }
    stream.synchronize();
    if (iteration == 0) continue;  // warms up
    for (size_t i = 0; i < timed.size(); ++i) {
      samples[i].push_back(marks[i].end.seconds_since(marks[i].start));
    }
  }
  std::vector<double> seconds(program.ops.size());
  for (size_t i = 0; i < timed.size(); ++i) seconds[timed[i]] = median(std::move(samples[i]));
  return seconds;
}

void time_gpu_calls(const GpuKernel& kernel, const AttentionShape& shape,
                    std::span<TimedCall> calls) {
  for (TimedCall& call : calls) time_call(kernel, shape, call);
}

RowRates measure_gpu_row_rates(const AttentionShape& shape, int64_t rows) {
  const Heads heads{0, shape.query_heads}, kv_heads{0, shape.kv_heads};
  const Stream stream;
  Stopwatch stopwatch(stream);
  RowRates rates;
  {
    const OwnBuffer from(shape, Tensor::kv, ElementClass::model, kv_heads, rows);
    const OwnBuffer to(shape, Tensor::kv, ElementClass::model, kv_heads, rows);
    const AllRows copy(RowMode::store, from, to);
    const double seconds = stopwatch.median_seconds([&] { copy.launch(stream); });
    rates.copied_bytes_per_second = 2.0 * static_cast<double>(to.bound.parts.bytes) / seconds;
  }
  const OwnBuffer partial(shape, Tensor::o, ElementClass::model, heads, rows);
  const OwnBuffer sum(shape, Tensor::o, ElementClass::accumulation, heads, rows);
  for (const OwnBuffer* o : {&partial, &sum}) {
    for (int32_t part : {0, 1}) o->fill(part, Input::q, stream);
  }
  const AllRows merge(RowMode::accumulate, partial, sum);
  const double seconds = stopwatch.median_seconds([&] { merge.launch(stream); });
  const double elements = static_cast<double>(rows) * shape.query_heads * shape.value_head_dim;
  rates.merged_elements_per_second = elements / seconds;
  return rates;
}

double measure_launch_seconds() {
  const AttentionShape shape{.query_heads = 1, .kv_heads = 1, .head_dim = 8, .value_head_dim = 8};
  const OwnBuffer from(shape, Tensor::kv, ElementClass::model, {0, 1}, 1);
  const OwnBuffer to(shape, Tensor::kv, ElementClass::model, {0, 1}, 1);
  const AllRows copy(RowMode::store, from, to);
  const Stream stream;
  Stopwatch stopwatch(stream);
  stopwatch.seconds([&] { copy.launch(stream); }, kLaunches);  // warms up
  return stopwatch.seconds([&] { copy.launch(stream); }, kLaunches);
}

}  // namespace cpbench
