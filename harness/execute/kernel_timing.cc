#include "harness/execute/kernel_timing.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <thread>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/inputs.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

// The clock of a thread ticks in nanoseconds, but reading it costs some hundreds of them.
constexpr double kLeastSeconds = 50e-6;  // of one sample, which repeats shorter work
constexpr double kEnoughSeconds = 4e-3;  // of all samples
constexpr int kLeastSamples = 1;
constexpr int kMostSamples = 50;
// The calls are timed in rounds, and the best counts: what others do to the caches and the clock
// for a second or two does not stick to one call.
constexpr int kRounds = 3;
constexpr uint64_t kSeed = 1;

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double run_seconds(const std::function<void()>& work, int64_t repeats) {
  const double start = thread_seconds();
  for (int64_t i = 0; i < repeats; ++i) work();
  return (thread_seconds() - start) / static_cast<double>(repeats);
}

double median_seconds(const std::function<void()>& work) {
  const double first = run_seconds(work, 1);  // warms up
  const auto repeats = static_cast<int64_t>(std::clamp(kLeastSeconds / first, 1.0, 1e4));
  std::vector<double> samples;
  double total = 0;
  while (std::ssize(samples) < kLeastSamples ||
         (total < kEnoughSeconds && std::ssize(samples) < kMostSamples)) {
    samples.push_back(run_seconds(work, repeats));
    total += samples.back() * static_cast<double>(repeats);
  }
  std::nth_element(samples.begin(), samples.begin() + std::ssize(samples) / 2, samples.end());
  return samples[samples.size() / 2];
}

// The number of LibTorch's threads is a property of the calling thread.
void on_one_core(const std::function<void()>& work) {
  std::exception_ptr error;
  std::thread([&] {
    try {
      at::set_num_threads(1);
      work();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
}

struct OwnBuffer;
void run_on_all(RowMode mode, const OwnBuffer& source, const OwnBuffer& target);

// A buffer with memory of its own; its elements are zeros, or an input's.
struct OwnBuffer {
  OwnBuffer(const AttentionShape& shape, Tensor tensor, ElementClass elements, Heads heads,
            int64_t rows)
      : buffer{.tensor = tensor, .elements = elements, .heads = heads, .rows = rows},
        arena(parts_of(buffer, shape).bytes),
        bound(bound_at(buffer, shape, arena.data())) {
    run_on_all(RowMode::clear, *this, *this);
  }
  Matrix part(int32_t index) const { return matrix_of(bound, index, buffer.heads); }
  void fill(int32_t index, Input input) const {
    fill_input(part(index), input, {0, buffer.rows}, 0, kSeed);
  }
  Buffer buffer;
  Arena arena;
  BoundBuffer bound;
};

// One operation on all rows of two buffers alike.
void run_on_all(RowMode mode, const OwnBuffer& source, const OwnBuffer& target) {
  const RowRun all{.rows = static_cast<int32_t>(target.buffer.rows)};
  run_row_op({.mode = mode, .heads = target.buffer.heads, .runs = 1}, {&all, 1},
             target.buffer.tensor, source.bound, target.bound);
}

void keep_best(double& seconds, double sample) {
  if (seconds == 0 || sample < seconds) seconds = sample;
}

void time_call(const Kernel& kernel, const AttentionShape& shape, TimedCall& call) {
  int64_t q_rows = 0, kv_rows = 0;
  for (const Segment& s : call.segments) {
    q_rows = std::max<int64_t>(q_rows, s.q_row + s.q_rows);
    kv_rows = std::max<int64_t>(kv_rows, s.kv_row + s.kv_rows);
  }
  const Heads heads = call.heads, kv_heads = kv_heads_of(heads, shape);
  constexpr ElementClass kModel = ElementClass::model, kSums = ElementClass::accumulation;
  const OwnBuffer q(shape, Tensor::q, kModel, heads, q_rows);
  const OwnBuffer kv(shape, Tensor::kv, kModel, kv_heads, kv_rows);
  const OwnBuffer o(shape, Tensor::o, kSums, heads, q_rows);
  const OwnBuffer d_o(shape, Tensor::d_o, kModel, heads, q_rows);
  const OwnBuffer dq(shape, Tensor::dq, kSums, heads, q_rows);
  const OwnBuffer dkv(shape, Tensor::dkv, kSums, kv_heads, kv_rows);
  q.fill(0, Input::q);
  kv.fill(0, Input::k);
  kv.fill(1, Input::v);
  d_o.fill(2, Input::d_o);

  const ForwardCall forward{shape,      heads,      call.segments, q.part(0),
                            kv.part(0), kv.part(1), o.part(1),     o.part(0)};
  keep_best(call.forward_seconds, median_seconds([&] { kernel.forward(forward); }));
  run_row_sums(o.bound, d_o.bound, q_rows);
  const BackwardCall backward{shape,       heads,      call.segments, q.part(0),
                              kv.part(0),  kv.part(1), d_o.part(2),   d_o.part(0),
                              d_o.part(1), dq.part(0), dkv.part(0),   dkv.part(1)};
  keep_best(call.backward_seconds, median_seconds([&] { kernel.backward(backward); }));
}

}  // namespace

void time_calls(const std::string& name, const AttentionShape& shape, std::span<TimedCall> calls) {
  const std::unique_ptr<Kernel> kernel = make_kernel(name);
  kernel->check(shape);
  on_one_core([&] {
    for (TimedCall& call : calls) call.forward_seconds = call.backward_seconds = 0;
    for (int round = 0; round < kRounds; ++round) {
      for (TimedCall& call : calls) time_call(*kernel, shape, call);
    }
  });
}

RowRates measure_row_rates(const AttentionShape& shape, int64_t rows) {
  RowRates rates;
  on_one_core([&] {
    const Heads heads{0, shape.query_heads}, kv_heads{0, shape.kv_heads};
    const OwnBuffer from(shape, Tensor::kv, ElementClass::model, kv_heads, rows);
    const OwnBuffer to(shape, Tensor::kv, ElementClass::model, kv_heads, rows);
    const double copy_seconds = median_seconds([&] { run_on_all(RowMode::store, from, to); });
    rates.copied_bytes_per_second = 2.0 * static_cast<double>(to.bound.parts.bytes) / copy_seconds;

    const OwnBuffer partial(shape, Tensor::o, ElementClass::accumulation, heads, rows);
    const OwnBuffer sum(shape, Tensor::o, ElementClass::accumulation, heads, rows);
    // A log-sum-exp that says nothing was seen would be passed over.
    for (const OwnBuffer* o : {&partial, &sum}) {
      for (int32_t part : {0, 1}) o->fill(part, Input::q);
    }
    const double merge_seconds =
        median_seconds([&] { run_on_all(RowMode::accumulate, partial, sum); });
    const double elements = static_cast<double>(rows) * shape.query_heads * shape.value_head_dim;
    rates.merged_elements_per_second = elements / merge_seconds;
  });
  return rates;
}

}  // namespace cpbench
