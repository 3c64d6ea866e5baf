#include "harness/execute/rank_report.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "harness/execute/layer.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// A GPU that runs below three quarters of its highest clock is throttled by heat or power. (nvbench
// uses the same default.)
constexpr double kLeastClockShare = 0.75;

// Keeps the worse of two errors; NaN is the worst.
void worsen(double& error, double other) {
  if (!(other <= error)) error = other;
}

}  // namespace

void RankReport::add_sample(const RankRunner& runner) {
  seconds.push_back(runner.end_seconds());
  attention_seconds.push_back(runner.seconds(Activity::attention));
  overhead_seconds.push_back(runner.overhead_seconds());
}

void RankReport::add_work(double work_seconds, double overhead, std::span<const Event> trace) {
  double attention = 0, copies = 0, layer = 0;
  for (const Event& event : trace) {
    const double seconds = event.end_seconds - event.start_seconds;
    if (event.activity == Activity::attention) attention += seconds;
    if (event.activity == Activity::copy || event.activity == Activity::merge) copies += seconds;
    if (event.activity == Activity::layer) layer += seconds;
  }
  portions.work_seconds.push_back(work_seconds);
  portions.attention_seconds.push_back(attention);
  portions.copy_seconds.push_back(copies);
  portions.layer_seconds.push_back(layer);
  portions.host_seconds.push_back(0);
  portions.overhead_seconds.push_back(overhead);
}

void RankReport::verify(const HomeOutputs& outputs, const Reference& reference) {
  add_errors(outputs, reference, accuracy);
  if (outputs.layer) weight_checks = cpbench::weight_checks(*outputs.layer);
  output_hash = hash_of(outputs);
}

int32_t portion_iterations(const ExecuteOptions& options) {
  constexpr int32_t kIterations = 3;
  return options.portions && !options.graph ? std::min(options.iterations, kIterations) : 0;
}

RankReport measure_rank(RankRunner& runner, CountingTransport& transport,
                        const Reference& reference, const ExecuteOptions& options,
                        const std::function<void(Portion portion)>& iterate) {
  RankReport report;
  for (int32_t i = 0; i < options.warmup + options.iterations; ++i) {
    transport.reset(runner.rank());
    iterate(Portion::whole);
    if (i == 0) report.verify(runner.outputs(), reference);
    if (i >= options.warmup) report.add_sample(runner);
  }
  report.events = runner.events();
  report.bytes_sent = transport.bytes_from(runner.rank());
  report.messages = transport.messages_from(runner.rank());
  for (int32_t i = 0; i < portion_iterations(options); ++i) {
    iterate(Portion::work);
    report.add_work(runner.end_seconds(), runner.overhead_seconds(), runner.events());
    iterate(Portion::exchanges);
    report.portions.exchange_seconds.push_back(runner.end_seconds());
  }
  return report;
}

void require_runnable(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel) {
  kernel.check(problem.shape);
  if (options.passes != program.passes) {
    throw std::logic_error("the program was compiled for other passes than it should run");
  }
  if (options.warmup < 0 || options.iterations < 1) {
    throw UserError("iterations must be at least 1 and warmup at least 0, not " +
                    std::to_string(options.iterations) + " and " + std::to_string(options.warmup));
  }
}

Reports::Reports(const Program& program, const ExecuteOptions& options, const Reference& reference)
    : reference_(reference) {
  Timeline& timeline = timeline_;
  timeline.ranks = static_cast<int32_t>(program.ranks.size());
  timeline.iterations = options.iterations;
  const auto ranks = static_cast<size_t>(timeline.ranks);
  for (auto* matrix :
       {&timeline.seconds, &timeline.attention_seconds, &timeline.overhead_seconds}) {
    matrix->resize(ranks * options.iterations);
  }
  for (auto matrix : PortionTimes::members()) {
    (timeline.portions.*matrix).resize(ranks * portion_iterations(options));
  }
  timeline.bytes_sent.resize(ranks * ranks);
  timeline.messages.resize(ranks * ranks);
  timeline.output_hash.resize(ranks);
  for (const RankProgram& rank : program.ranks) {
    timeline.peak_bytes.push_back(rank.arena_bytes + layer_bytes(rank, program.shape));
  }
  timeline.accuracy = tolerances(reference, program.shape.dtype);
}

void Reports::add(const RankReport& report, int32_t rank) {
  Timeline& timeline = timeline_;
  const auto ranks = static_cast<size_t>(timeline.ranks);
  for (size_t i = 0; i < report.seconds.size(); ++i) {
    timeline.seconds[i * ranks + rank] = report.seconds[i];
    timeline.attention_seconds[i * ranks + rank] = report.attention_seconds[i];
    timeline.overhead_seconds[i * ranks + rank] = report.overhead_seconds[i];
  }
  for (auto matrix : PortionTimes::members()) {
    const std::vector<double>& own = report.portions.*matrix;
    for (size_t i = 0; i < own.size(); ++i) (timeline.portions.*matrix)[i * ranks + rank] = own[i];
  }
  const auto row = static_cast<std::ptrdiff_t>(rank * ranks);
  if (!report.clock_share.empty()) {
    timeline.clock_share.resize(ranks * timeline.iterations);
    timeline.accepted.resize(timeline.iterations, 1);
    for (size_t i = 0; i < report.clock_share.size(); ++i) {
      timeline.clock_share[i * ranks + rank] = report.clock_share[i];
      if (report.clock_share[i] < kLeastClockShare) timeline.accepted[i] = 0;
    }
  }
  if (report.peak_bytes > 0) timeline.peak_bytes[rank] = report.peak_bytes;
  std::ranges::copy(report.bytes_sent, timeline.bytes_sent.begin() + row);
  std::ranges::copy(report.messages, timeline.messages.begin() + row);
  timeline.events.insert(timeline.events.end(), report.events.begin(), report.events.end());
  timeline.output_hash[rank] = report.output_hash;
  worsen(timeline.accuracy.max_error_output, report.accuracy.max_error_output);
  worsen(timeline.accuracy.max_error_gradient, report.accuracy.max_error_gradient);
  ++reported_;
  weight_checks_.resize(report.weight_checks.size());
  std::ranges::transform(weight_checks_, report.weight_checks, weight_checks_.begin(),
                         std::plus<>());
}

Timeline Reports::timeline() {
  if (reported_ == timeline_.ranks && !weight_checks_.empty()) {
    worsen(timeline_.accuracy.max_error_gradient, weight_error(weight_checks_, reference_));
  }
  return std::move(timeline_);
}

}  // namespace cpbench
