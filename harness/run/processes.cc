#include "harness/run/processes.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "harness/execute/processes/store_wire.h"
#include "harness/plan/errors.h"
#include "harness/plan/text_hash.h"
#include "harness/run/exit_codes.h"
#include "harness/run/run_job.h"
#include "harness/store/provenance.h"
#include "harness/store/shell_text.h"

namespace cpbench {

namespace {

constexpr const char* kEnd = "end";

// The command that would be right, with the program and arguments of this one.
std::string mpirun(int32_t ranks, const std::vector<std::string>& command_line) {
  return fmt::format("mpirun -np {} {}", ranks, shell_text(command_line));
}

std::string version_of(const Wire& wire) {
  const auto known = provenance({}, {}, {});
  return fmt::format("cpbench {} of commit {}{}, LibTorch {}, {}", CPBENCH_VERSION,
                     known.at("git_sha"), known.at("git_dirty") == "yes" ? " with changes" : "",
                     known.at("libtorch"), wire.library());
}

std::string hash_of_runs(const std::vector<Job>& jobs) {
  std::string ids;
  for (const Job& job : jobs) ids += run_id(job.spec);
  return hex16(hash_of_text(ids));
}

// The first number of ranks that processes are wanted for.
int32_t ranks_of(const std::vector<Job>& jobs) {
  for (const Job& job : jobs) {
    if (job.in_processes) return job.spec.ranks;
  }
  return 0;
}

}  // namespace

Processes::Processes(const std::vector<Job>& jobs, const std::vector<std::string>& command_line,
                     double timeout_seconds)
    : timeout_seconds_(timeout_seconds) {
  if (!launched_rank()) {
    throw UserError(
        "--backend mpi runs one process per rank, and no launcher started this one; try: " +
        mpirun(ranks_of(jobs), command_line));
  }
  wire_ = open_mpi_wire();
  group_ = std::make_unique<ProcessGroup>(*wire_, GroupOptions{.timeout_seconds = timeout_seconds});
  meet(
      jobs, [] {},
      [&](const Job& job) {
        if (job.spec.ranks == group_->size()) return;
        throw UserError(fmt::format(
            "--ranks {} with --backend mpi needs {} processes, not {}; try: {}", job.spec.ranks,
            job.spec.ranks, group_->size(), mpirun(job.spec.ranks, command_line)));
      });
}

Processes::Processes(const std::vector<Job>& jobs, const LaunchEnvironment& launch,
                     const GpusOfProcess& mine, double timeout_seconds)
    : timeout_seconds_(timeout_seconds) {
  GroupOptions options;
  options.timeout_seconds = timeout_seconds;
  options.rank_name = "process";
  options.ranks_name = "processes";
  wire_ = open_store_wire(launch, options.timeout_seconds);
  group_ = std::make_unique<ProcessGroup>(*wire_, options);
  meet(
      jobs, [&] { gpus_ = gather_gpus(*group_, mine); },
      [&](const Job& job) { place_ranks(job.spec.ranks, job.spec.nodes, gpus_); });
}

void Processes::meet(const std::vector<Job>& jobs, const std::function<void()>& look,
                     const std::function<void(const Job&)>& require) {
  try {
    group_->together([&] {
      group_->agree("version", version_of(*wire_));
      group_->agree("hash of the runs", hash_of_runs(jobs));
      look();
    });
    for (const Job& job : jobs) {
      if (job.in_processes) require(job);
    }
  } catch (const UserError&) {  // the same on all ranks
    wire_->finish();
    throw;
  } catch (const GroupBroken& broken) {
    abort(broken.what());
  }
}

void Processes::start(size_t job) { group_->send_command(std::to_string(job)); }

int Processes::lead(const std::function<int()>& sweep) {
  const auto release = [&] {
    try {
      group_->send_command(kEnd);
    } catch (const GroupBroken& broken) {  // torchrun's store ended before all received the command
      abort(broken.what());
    }
    wire_->finish();
  };
  try {
    const int code = sweep();
    release();
    return code;
  } catch (const RanksDisagree&) {  // it ends the others too
    wire_->finish();
    throw;
  } catch (...) {
    release();
    throw;
  }
}

int Processes::follow(const std::vector<Job>& jobs) {
  try {
    for (;;) {
      const std::string command = group_->receive_command();
      if (command == kEnd) break;
      follow_job(jobs.at(std::stoul(command)),
                 {.group = group_.get(), .gpus = gpus_, .timeout_seconds = timeout_seconds_});
    }
  } catch (const RanksDisagree&) {
    wire_->finish();
    throw;
  } catch (const GroupBroken& broken) {
    abort(broken.what());
  }
  wire_->finish();
  return kExitOk;
}

void Processes::abort(const std::string& why) {
  fmt::print(stderr, "cpbench: error: {}\n", why);
  std::fflush(stderr);
  wire_->abort(kExitFailure);
  std::_Exit(kExitFailure);  // not reached; GCC does not see that of a virtual function
}

}  // namespace cpbench
