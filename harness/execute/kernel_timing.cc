#include "harness/execute/kernel_timing.h"

#include <algorithm>
#include <functional>

#include "harness/execute/call_tensors.h"
#include "harness/execute/median.h"
#include "harness/plan/thread_seconds.h"

namespace cpbench {
namespace {

// A thread's clock ticks in nanoseconds, but reading it takes several hundred of them.
constexpr double kLeastSeconds = 50e-6;  // of one sample, which repeats shorter work
constexpr double kEnoughSeconds = 4e-3;  // of all samples
constexpr int kMostSamples = 50;
// Calls are timed in rounds and the best round counts: what other processes do to the caches and
// the clock for a second or two then does not affect all samples of a call.
constexpr int kRounds = 3;
constexpr uint64_t kSeed = 1;

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
  while (samples.empty() || (total < kEnoughSeconds && std::ssize(samples) < kMostSamples)) {
    samples.push_back(run_seconds(work, repeats));
    total += samples.back() * static_cast<double>(repeats);
  }
  return median_of(std::move(samples));
}

void fill(const HostBuffer& buffer, int32_t part, Input input) {
  fill_input(buffer.part(part), input, {0, buffer.layout.rows}, 0, kSeed);
}

// Runs one operation on all rows of two buffers.
void run_on_all(RowMode mode, const HostBuffer& source, const HostBuffer& target) {
  const RowRun all{.rows = static_cast<int32_t>(target.layout.rows)};
  run_row_op({.mode = mode, .heads = target.layout.heads, .runs = 1}, {&all, 1},
             target.layout.tensor, source.bound, target.bound);
}

void keep_best(double& seconds, double sample) {
  if (seconds == 0 || sample < seconds) seconds = sample;
}

void time_call(const Kernel& kernel, const AttentionShape& shape, TimedCall& call) {
  const RowsOfCall rows(call.segments);
  const ForwardTensors<HostBuffer> in(shape, call.heads, rows.q, rows.kv,
                                      ElementClass::accumulation);
  in.fill_inputs(fill);
  in.o.set_zero();
  const ForwardCall forward = in.call(call.segments);
  keep_best(call.forward_seconds, median_seconds([&] { kernel.forward(forward); }));

  const BackwardTensors<HostBuffer> out(in);
  out.fill_inputs(fill);
  out.dq.set_zero();
  out.dkv.set_zero();
  run_row_sums(in.o.bound, out.d_o.bound, rows.q);
  const BackwardCall backward = out.call(in, call.segments);
  keep_best(call.backward_seconds, median_seconds([&] { kernel.backward(backward); }));
}

}  // namespace

void time_calls(const std::string& name, const AttentionShape& shape, std::span<TimedCall> calls) {
  const std::unique_ptr<Kernel> kernel = make_kernel(name);
  kernel->check(shape);
  for (TimedCall& call : calls) call.forward_seconds = call.backward_seconds = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (TimedCall& call : calls) time_call(*kernel, shape, call);
  }
}

RowRates measure_row_rates(const AttentionShape& shape, int64_t rows) {
  RowRates rates;
  const Buffer kv{.tensor = Tensor::kv, .heads = {0, shape.kv_heads}, .rows = rows};
  const HostBuffer from(kv, shape), to(kv, shape);
  from.set_zero();
  const double copy_seconds = median_seconds([&] { run_on_all(RowMode::store, from, to); });
  rates.copied_bytes_per_second = 2.0 * static_cast<double>(to.bound.parts.bytes) / copy_seconds;

  const Buffer o{.tensor = Tensor::o,
                 .elements = ElementClass::accumulation,
                 .heads = {0, shape.query_heads},
                 .rows = rows};
  const HostBuffer partial(o, shape), sum(o, shape);
  for (const HostBuffer* buffer : {&partial, &sum}) {
    // Also log-sum-exp: a merge skips rows whose log-sum-exp is -infinity.
    for (int32_t part : {0, 1}) fill(*buffer, part, Input::q);
  }
  const double merge_seconds =
      median_seconds([&] { run_on_all(RowMode::accumulate, partial, sum); });
  const double elements = static_cast<double>(rows) * shape.query_heads * shape.value_head_dim;
  rates.merged_elements_per_second = elements / merge_seconds;
  return rates;
}

}  // namespace cpbench
