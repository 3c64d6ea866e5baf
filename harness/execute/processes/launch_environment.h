// What a launcher says of this process: torchrun, Slurm's srun or Open MPI's mpirun. The one place
// that knows their variables.
//
//   const auto launch = launch_environment();   // nullopt: this process is alone
//   launch->process; launch->processes;         // 5 of 8
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

namespace cpbench {

struct LaunchEnvironment {
  std::string launcher;  // "torchrun", "srun", "mpirun"
  int32_t process = 0;
  int32_t processes = 1;
  int32_t local_process = 0;  // among those of this node
  int32_t local_processes = 1;
  std::string address;  // where processes meet: of process 0's node
  uint16_t port = 0;
  // torchrun serves a store at that place already, for process 0 too; it may outlive this run.
  bool has_store = false;
  std::string run;  // tells this run from others at the same place
};

using Environment = std::function<const char*(const char* name)>;

// MASTER_ADDR and MASTER_PORT, where they are set, say the place for every launcher. Otherwise it
// is the first node of a Slurm step, or this machine where all processes of mpirun are on it, and
// a port made of the job's number. Throws UserError that names the variable if one is missing,
// wrong or contradicts another, and for a launcher that speaks PMI alone (MPICH, Intel MPI).
std::optional<LaunchEnvironment> launch_environment(const Environment& environment = std::getenv);

// The number of this process, also of MPICH and Intel MPI, and whatever else is set or missing.
std::optional<int32_t> launched_rank(const Environment& environment = std::getenv);

}  // namespace cpbench
