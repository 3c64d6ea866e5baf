// The threads executor: one std::thread per rank, one iteration after another between barriers.
#include <ATen/Parallel.h>

#include <thread>

#include "harness/execute/execute.h"
#include "harness/execute/execute_with.h"
#include "harness/execute/rank_report.h"

namespace cpbench {
namespace {

// What the ranks' threads share.
struct Run {
  const Program& program;
  const ExecuteOptions& options;
  const Kernel& kernel;
  CountingTransport& transport;
  RunControl& control;
  const Reference& reference;
  std::vector<RankReport> reports;  // per rank
  Clock::time_point origin;         // of the iteration; set by rank 0 between barriers
};

void run_rank(Run& run, int32_t rank) {
  at::set_num_threads(1);  // of this thread: a rank is one core
  RankRunner runner(run.program, rank, run.kernel, run.transport, run.control);
  runner.fill_inputs(run.options.seed);
  RankReport& report = run.reports[rank];
  for (int32_t i = 0; i < run.options.warmup + run.options.iterations; ++i) {
    run.control.barrier();
    if (rank == 0) {
      run.transport.reset();
      run.origin = Clock::now();
    }
    run.control.barrier();
    runner.iterate(run.origin);
    if (i == 0) {
      add_errors(runner.outputs(), run.reference, report.accuracy);
      report.output_hash = hash_of(runner.outputs());
    }
    if (i >= run.options.warmup) report.add_sample(runner);
  }
  report.events = runner.events();
}

void run_thread(Run& run, int32_t rank) {
  try {
    run_rank(run, rank);
  } catch (const TransportClosed&) {  // another rank ended the run
    run.control.fail(rank, "the transport was closed");
  } catch (const std::exception& error) {
    run.control.fail(rank, error.what());
  } catch (...) {
    run.control.fail(rank, "an unknown exception");
  }
  run.control.leave();
}

}  // namespace

Timeline execute_with(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel, Transport& transport) {
  require_runnable(problem, program, options, kernel);
  const auto ranks = static_cast<int32_t>(program.ranks.size());
  const auto reference = reference_for(problem.batch, problem.shape, options.seed, options.passes);
  CountingTransport counting(transport, ranks);
  RunControl control(0, ranks, [&] { counting.close(); }, options.timeout_seconds);
  Run run{program, options, kernel, counting, control, *reference, std::vector<RankReport>(ranks),
          {}};
  std::vector<std::thread> threads;
  for (int32_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back(run_thread, std::ref(run), rank);
  }
  control.watch();
  for (std::thread& thread : threads) thread.join();
  if (const auto failure = control.failure()) throw ExecutionFailure(*failure);

  Timeline timeline = empty_timeline(program, options, *reference);
  for (int32_t rank = 0; rank < ranks; ++rank) add(run.reports[rank], rank, timeline);
  timeline.bytes_sent = counting.bytes();
  timeline.messages = counting.messages();
  return timeline;
}

Timeline execute_threads(const Problem& problem, const Program& program,
                         const ExecuteOptions& options) {
  const auto kernel = make_kernel(options.kernel);
  Mailbox mailbox(static_cast<int32_t>(program.ranks.size()));
  return execute_with(problem, program, options, *kernel, mailbox);
}

}  // namespace cpbench
