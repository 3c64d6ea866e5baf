// Reads the environment variables by which a launcher (torchrun, Slurm's srun or Open MPI's mpirun)
// tells a process its number and where the processes meet. Only this file knows these variables.
//
//   const auto launch = launch_environment();   // nullopt: no launcher started this process
//   launch->process; launch->processes;         // 5 of 8
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

namespace cpbench {

struct LaunchEnvironment {
  std::string launcher;         // "torchrun", "srun", "mpirun"
  int32_t process = 0;          // in [0, processes)
  int32_t processes = 1;        // of the run
  int32_t local_process = 0;    // in [0, local_processes)
  int32_t local_processes = 1;  // on this node
  std::string address;  // host name or address of process 0's node, where all processes meet
  uint16_t port = 0;    // where they meet on that node
  // Whether torchrun already serves a TCPStore there. It may outlive this run.
  bool has_store = false;
  std::string run;  // distinguishes this run from others that meet at the same address and port
};

using Environment = std::function<const char*(const char* name)>;

// With every launcher, MASTER_ADDR and MASTER_PORT say where the processes meet if they are set.
// Otherwise the address is the first node of the Slurm step, or localhost if mpirun started all
// processes on this node, and the port is derived from the job's number. Throws UserError that
// names the variable if one is missing, invalid or contradicts another, and for launchers that set
// only PMI variables (MPICH, Intel MPI).
std::optional<LaunchEnvironment> launch_environment(const Environment& environment = std::getenv);

// The number of this process, whatever other variables are set or missing. Also supports MPICH and
// Intel MPI.
std::optional<int32_t> launched_rank(const Environment& environment = std::getenv);

}  // namespace cpbench
