// Jobs that several processes run together: `mpirun -np 4 cpbench run --backend mpi ...` starts
// four of this program. Process 0 runs the sweep, writes and prints; the others follow.
//
//   Processes processes(jobs, command_line, timeout_seconds);
//   if (processes.rank() > 0) return processes.follow(jobs);
//   return processes.lead([&] {
//     processes.start(3); run_job(jobs[3], {.group = &processes.group(), ...}); ...
//   });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/execute/processes/launch_environment.h"
#include "harness/execute/processes/place_ranks.h"
#include "harness/execute/processes/process_group.h"
#include "harness/run/job.h"

namespace cpbench {

class Processes {
 public:
  // Over MPI, a rank each. Throws UserError: no launcher, a build without MPI, another number of
  // processes than a job has ranks, or ranks that differ in version or jobs (RanksDisagree).
  Processes(const std::vector<Job>& jobs, const std::vector<std::string>& command_line,
            double timeout_seconds);

  // Over the store, with ranks on the GPUs that each sees. Throws UserError: not all processes
  // came, the ranks of a job do not fit the GPUs, or processes that differ (RanksDisagree).
  Processes(const std::vector<Job>& jobs, const LaunchEnvironment& launch,
            const GpusOfProcess& mine, double timeout_seconds);

  int32_t rank() const { return group_->rank(); }
  const std::vector<GpusOfProcess>& gpus() const { return gpus_; }  // by process; none over MPI
  ProcessGroup& group() { return *group_; }

  // On rank 0: runs the sweep, and releases the others when it ends, by an exception too. Returns
  // what it returns.
  int lead(const std::function<int()>& sweep);
  void start(size_t job);  // the others begin this one

  // On the others: returns the exit code when rank 0 releases them.
  int follow(const std::vector<Job>& jobs);

  // Ends all processes at once: one of them does not answer.
  [[noreturn]] void abort(const std::string& why);

 private:
  // Agrees on what is to run, looks about, and requires what each job needs of the processes.
  void meet(const std::vector<Job>& jobs, const std::function<void()>& look,
            const std::function<void(const Job&)>& require);

  double timeout_seconds_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<ProcessGroup> group_;
  std::vector<GpusOfProcess> gpus_;
};

}  // namespace cpbench
