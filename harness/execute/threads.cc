// The threads executor: each rank is a thread, and iterations run one after another between
// barriers.
#include "harness/execute/execute.h"
#include "harness/execute/execute_with.h"
#include "harness/execute/rank_report.h"

namespace cpbench {

Timeline execute_with(const Problem& problem, const Program& program, const ExecuteOptions& options,
                      const Kernel& kernel, Transport& transport) {
  require_runnable(problem, program, options, kernel);
  const auto ranks = static_cast<int32_t>(program.ranks.size());
  const auto reference = reference_for(problem.batch, problem.shape, options.seed, options.passes);
  CountingTransport counting(transport, ranks);
  RunControl control(0, ranks, [&] { counting.close(); }, options.timeout_seconds);
  std::vector<RankReport> reports(ranks);
  Clock::time_point origin;  // of the iteration; set by rank 0 between barriers
  control.run_ranks([&](int32_t rank) {
    RankRunner runner(program, rank, kernel, counting, control);
    runner.fill_inputs(options.seed);
    reports[rank] = measure_rank(runner, counting, *reference, options, [&](Portion portion) {
      control.barrier();
      if (rank == 0) origin = Clock::now();
      control.barrier();
      runner.iterate(origin, portion);
    });
  });

  Reports all(program, options, *reference);
  for (int32_t rank = 0; rank < ranks; ++rank) all.add(reports[rank], rank);
  return all.timeline();
}

Timeline execute_threads(const Problem& problem, const Program& program,
                         const ExecuteOptions& options) {
  const auto kernel = make_kernel(options.kernel);
  Mailbox mailbox(static_cast<int32_t>(program.ranks.size()));
  return execute_with(problem, program, options, *kernel, mailbox);
}

}  // namespace cpbench
