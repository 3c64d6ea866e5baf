#include "harness/execute/processes/execute_processes.h"

#include <new>

#include "harness/execute/processes/report_messages.h"
#include "harness/execute/rank_report.h"

namespace cpbench {
namespace {

// Adds the rank and step to the message of what the rank's own operations throw.
void iterate(RankRunner& runner, Portion portion, ProcessGroup& group) {
  try {
    runner.iterate(Clock::now(), portion);
  } catch (const WorkAborted&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw ExecutionFailure(group.position() + ": " + error.what());
  }
}

RankReport run_rank(const Program& program, const ExecuteOptions& options, const Kernel& kernel,
                    const Reference& reference, ProcessGroup& group) {
  CountingTransport transport(group, group.size());
  RankRunner runner(program, group.rank(), kernel, transport, group);
  runner.fill_inputs(options.seed);
  return measure_rank(runner, transport, reference, options, [&](Portion portion) {
    group.barrier();
    iterate(runner, portion, group);
  });
}

}  // namespace

Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, const Kernel& kernel,
                           ProcessGroup& group) {
  require_runnable(problem, program, options, kernel);
  if (static_cast<int32_t>(program.ranks.size()) != group.size()) {
    throw std::logic_error("the program and the group must have the same number of ranks");
  }
  const auto reference = reference_for(problem.batch, problem.shape, options.seed, options.passes);
  Reports reports(program, options, *reference);
  const RankReport mine = run_rank(program, options, kernel, *reference, group);
  if (group.rank() > 0) send_report(group, mine);
  reports.add(mine, group.rank());
  for (int32_t other = 1; group.rank() == 0 && other < group.size(); ++other) {
    reports.add(receive_report(group, other, reports.ranks()), other);
  }
  return reports.timeline();
}

Timeline execute_processes(const Problem& problem, const Program& program,
                           const ExecuteOptions& options, ProcessGroup& group) {
  return execute_processes(problem, program, options, *make_kernel(options.kernel), group);
}

}  // namespace cpbench
