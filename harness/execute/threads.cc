// The threads executor: one std::thread per rank, one iteration after another between barriers.
#include <ATen/Parallel.h>

#include <thread>

#include "harness/execute/execute.h"
#include "harness/execute/execute_with.h"
#include "harness/execute/rank_runner.h"
#include "harness/plan/errors.h"

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
  Timeline& timeline;
  std::vector<Accuracy> accuracy;  // per rank
  std::vector<std::vector<Event>> events;
  Clock::time_point origin;  // of the iteration; set by rank 0 between barriers
};

void run_rank(Run& run, int32_t rank) {
  at::set_num_threads(1);  // of this thread: a rank is one core
  RankRunner runner(run.program, rank, run.kernel, run.transport, run.control);
  runner.fill_inputs(run.options.seed);
  Timeline& timeline = run.timeline;
  for (int32_t i = 0; i < run.options.warmup + run.options.iterations; ++i) {
    run.control.barrier();
    if (rank == 0) {
      run.transport.reset();
      run.origin = Clock::now();
    }
    run.control.barrier();
    runner.iterate(run.origin);
    if (i == 0) runner.add_errors(run.reference, run.accuracy[rank]);
    if (i < run.options.warmup) continue;
    const size_t at = static_cast<size_t>(i - run.options.warmup) * timeline.ranks + rank;
    timeline.seconds[at] = runner.end_seconds();
    timeline.attention_seconds[at] = runner.seconds(Activity::attention);
    timeline.overhead_seconds[at] = runner.overhead_seconds();
  }
  run.events[rank] = runner.events();
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

// The worse of two, NaN being the worst.
void worsen(double& error, double other) {
  if (!(other <= error)) error = other;
}

}  // namespace

Timeline execute_with(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel, Transport& transport) {
  kernel.check(problem.shape);
  if (options.passes != program.passes) {
    throw std::logic_error("execute: the program was compiled for other passes");
  }
  if (options.warmup < 0 || options.iterations < 1) {
    throw UserError("iterations must be at least 1 and warmup at least 0, not " +
                    std::to_string(options.iterations) + " and " + std::to_string(options.warmup));
  }
  const auto ranks = static_cast<int32_t>(program.ranks.size());
  const auto reference = reference_for(problem.batch, problem.shape, options.seed, options.passes);
  Timeline timeline;
  timeline.ranks = ranks;
  timeline.iterations = options.iterations;
  const size_t samples = static_cast<size_t>(options.iterations) * ranks;
  for (auto* matrix :
       {&timeline.seconds, &timeline.attention_seconds, &timeline.overhead_seconds}) {
    matrix->resize(samples);
  }
  CountingTransport counting(transport, ranks);
  RunControl control(ranks, counting, options.timeout_seconds);
  Run run{program,
          options,
          kernel,
          counting,
          control,
          *reference,
          timeline,
          std::vector<Accuracy>(ranks),
          std::vector<std::vector<Event>>(ranks),
          {}};
  std::vector<std::thread> threads;
  for (int32_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back(run_thread, std::ref(run), rank);
  }
  control.watch();
  for (std::thread& thread : threads) thread.join();
  if (const auto failure = control.failure()) throw ExecutionFailure(*failure);

  timeline.bytes_sent = counting.bytes();
  timeline.messages = counting.messages();
  timeline.accuracy = tolerances(*reference, problem.shape.dtype);
  for (int32_t rank = 0; rank < ranks; ++rank) {
    timeline.peak_bytes.push_back(program.ranks[rank].arena_bytes);
    worsen(timeline.accuracy.max_error_output, run.accuracy[rank].max_error_output);
    worsen(timeline.accuracy.max_error_gradient, run.accuracy[rank].max_error_gradient);
    timeline.events.insert(timeline.events.end(), run.events[rank].begin(), run.events[rank].end());
  }
  return timeline;
}

Timeline execute_threads(const Problem& problem, const Program& program,
                         const ExecuteOptions& options) {
  const auto kernel = make_kernel(options.kernel);
  Mailbox mailbox(static_cast<int32_t>(program.ranks.size()));
  return execute_with(problem, program, options, *kernel, mailbox);
}

}  // namespace cpbench
