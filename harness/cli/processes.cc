#include "harness/cli/processes.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "harness/cli/cli.h"
#include "harness/cli/outcome.h"
#include "harness/cli/run_cell.h"
#include "harness/execute/store_wire.h"
#include "harness/measure/text_hash.h"
#include "harness/plan/errors.h"
#include "harness/store/provenance.h"

namespace cpbench {

namespace {

constexpr const char* kEnd = "end";

// The command that would be right, with the program and arguments of this one.
std::string mpirun(int32_t ranks, const std::vector<std::string>& command_line) {
  return fmt::format("mpirun -np {} {}", ranks, shell_text(command_line));
}

std::string version_of(const Wire& wire) {
  const auto facts = provenance({}, {}, {});
  return fmt::format("cpbench {} of commit {}{}, LibTorch {}, {}", CPBENCH_VERSION,
                     facts.at("git_sha"), facts.at("git_dirty") == "yes" ? " with changes" : "",
                     facts.at("libtorch"), wire.library());
}

std::string hash_of_cells(const std::vector<Cell>& cells) {
  std::string ids;
  for (const Cell& cell : cells) ids += run_id(cell);
  return hex16(hash_of_text(ids));
}

// The first number of ranks that processes are wanted for.
int32_t ranks_of(const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    if (needs_processes(cell)) return cell.ranks;
  }
  return 0;
}

}  // namespace

Processes::Processes(const std::vector<Cell>& cells, const std::vector<std::string>& command_line,
                     double timeout_seconds)
    : timeout_seconds_(timeout_seconds) {
  if (!launched_rank()) {
    throw UserError(
        "--backend mpi runs one process per rank, and no launcher started this one; try: " +
        mpirun(ranks_of(cells), command_line));
  }
  wire_ = open_mpi_wire();
  group_ = std::make_unique<ProcessGroup>(*wire_, GroupOptions{.timeout_seconds = timeout_seconds});
  meet(
      cells, [] {},
      [&](const Cell& cell) {
        if (cell.ranks == group_->size()) return;
        throw UserError(
            fmt::format("--ranks {} with --backend mpi needs {} processes, not {}; try: {}",
                        cell.ranks, cell.ranks, group_->size(), mpirun(cell.ranks, command_line)));
      });
}

Processes::Processes(const std::vector<Cell>& cells, const LaunchEnvironment& launch,
                     const GpusOfProcess& mine, double timeout_seconds)
    : timeout_seconds_(timeout_seconds) {
  GroupOptions options;
  options.timeout_seconds = timeout_seconds;
  options.rank_name = "process";
  options.ranks_name = "processes";
  wire_ = open_store_wire(launch, options.timeout_seconds);
  group_ = std::make_unique<ProcessGroup>(*wire_, options);
  meet(
      cells, [&] { gpus_ = gather_gpus(*group_, mine); },
      [&](const Cell& cell) { place_ranks(cell.ranks, cell.nodes, gpus_); });
}

void Processes::meet(const std::vector<Cell>& cells, const std::function<void()>& look,
                     const std::function<void(const Cell&)>& require) {
  try {
    group_->together([&] {
      group_->agree("version", version_of(*wire_));
      group_->agree("hash of the cells to run", hash_of_cells(cells));
      look();
    });
    for (const Cell& cell : cells) {
      if (needs_processes(cell)) require(cell);
    }
  } catch (const UserError&) {  // on all ranks alike
    wire_->finish();
    throw;
  } catch (const GroupBroken& broken) {
    abort(broken.what());
  }
}

void Processes::start(size_t cell) { group_->tell(std::to_string(cell)); }

int Processes::lead(const std::function<int()>& sweep) {
  const auto let_go = [&] {
    try {
      group_->tell(kEnd);
    } catch (const GroupBroken& broken) {  // torchrun's store is gone, before all could hear
      abort(broken.what());
    }
    wire_->finish();
  };
  try {
    const int code = sweep();
    let_go();
    return code;
  } catch (const RanksDisagree&) {  // it ends the others too
    wire_->finish();
    throw;
  } catch (...) {
    let_go();
    throw;
  }
}

int Processes::follow(const std::vector<Cell>& cells) {
  try {
    for (;;) {
      const std::string word = group_->hear();
      if (word == kEnd) break;
      follow_cell(cells.at(std::stoul(word)),
                  {.group = group_.get(), .timeout_seconds = timeout_seconds_});
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
