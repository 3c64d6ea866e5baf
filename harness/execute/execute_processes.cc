#include "harness/execute/execute_processes.h"

#include <ATen/Parallel.h>

#include <new>

#include "harness/execute/rank_report.h"

namespace cpbench {
namespace {

// Tags of a program are not negative and its messages have all arrived: any will do.
constexpr int32_t kReportTag = 0;

template <typename T>
void send_all(ProcessGroup& group, const std::vector<T>& values) {
  group.send(group.rank(), 0, kReportTag, std::as_bytes(std::span(values)));
}

template <typename T>
std::vector<T> received(ProcessGroup& group, int32_t from, size_t count) {
  std::vector<T> values(count);
  group.receive(from, 0, kReportTag, std::as_writable_bytes(std::span(values)));
  return values;
}

// To rank 0: what this rank alone knows, in the order in which `add_report` reads it.
void report(ProcessGroup& group, const RankReport& mine) {
  send_all<int64_t>(group, {static_cast<int64_t>(mine.events.size())});
  for (const auto* values : {&mine.seconds, &mine.attention_seconds, &mine.overhead_seconds}) {
    send_all(group, *values);
  }
  send_all(group, mine.bytes_sent);
  send_all(group, mine.messages);
  send_all(group, mine.events);
  send_all<Accuracy>(group, {mine.accuracy});
  send_all<uint64_t>(group, {mine.output_hash});
}

RankReport report_of(ProcessGroup& group, int32_t from, int32_t iterations) {
  RankReport theirs;
  const auto events = static_cast<size_t>(received<int64_t>(group, from, 1).front());
  for (auto* values : {&theirs.seconds, &theirs.attention_seconds, &theirs.overhead_seconds}) {
    *values = received<double>(group, from, iterations);
  }
  theirs.bytes_sent = received<int64_t>(group, from, group.size());
  theirs.messages = received<int64_t>(group, from, group.size());
  theirs.events = received<Event>(group, from, events);
  theirs.accuracy = received<Accuracy>(group, from, 1).front();
  theirs.output_hash = received<uint64_t>(group, from, 1).front();
  return theirs;
}

// A rank is one core, as in the threads executor.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

// Names the place of what a rank's own operations throw.
void iterate(RankRunner& runner, ProcessGroup& group) {
  try {
    runner.iterate(Clock::now());
  } catch (const WorkEnded&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw ExecutionFailure(group.place() + ": " + error.what());
  }
}

RankReport run_rank(const Program& program, const ExecuteOptions& options, const Kernel& kernel,
                    const Reference& reference, ProcessGroup& group) {
  const OneThread one_thread;
  const int32_t rank = group.rank();
  CountingTransport transport(group, group.size());
  RankRunner runner(program, rank, kernel, transport, group);
  runner.fill_inputs(options.seed);
  RankReport mine;
  for (int32_t i = 0; i < options.warmup + options.iterations; ++i) {
    transport.reset();
    group.barrier();
    iterate(runner, group);
    if (i == 0) {
      runner.add_errors(reference, mine.accuracy);
      mine.output_hash = runner.output_hash();
    }
    if (i >= options.warmup) mine.add_sample(runner);
  }
  mine.events = runner.events();
  const auto row = static_cast<std::ptrdiff_t>(rank) * group.size();
  mine.bytes_sent.assign(transport.bytes().begin() + row,
                         transport.bytes().begin() + row + group.size());
  mine.messages.assign(transport.messages().begin() + row,
                       transport.messages().begin() + row + group.size());
  return mine;
}

}  // namespace

Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, const Kernel& kernel,
                           ProcessGroup& group) {
  require_runnable(problem, program, options, kernel);
  if (static_cast<int32_t>(program.ranks.size()) != group.size()) {
    throw std::logic_error("execute: the program has another number of ranks than the group");
  }
  const auto reference = reference_for(problem.batch, problem.shape, options.seed, options.passes);
  Timeline timeline = empty_timeline(program, options, *reference);
  const RankReport mine = run_rank(program, options, kernel, *reference, group);
  if (group.rank() > 0) report(group, mine);
  add(mine, group.rank(), timeline);
  for (int32_t other = 1; group.rank() == 0 && other < group.size(); ++other) {
    add(report_of(group, other, options.iterations), other, timeline);
  }
  return timeline;
}

Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, ProcessGroup& group) {
  return execute_processes(problem, program, options, *make_kernel(options.kernel), group);
}

}  // namespace cpbench
