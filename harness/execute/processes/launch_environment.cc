#include "harness/execute/processes/launch_environment.h"

#include <charconv>
#include <stdexcept>

#include "harness/execute/processes/slurm_lists.h"
#include "harness/plan/errors.h"
#include "harness/plan/shown.h"

namespace cpbench {
namespace {

constexpr int64_t kUnlimited = INT32_MAX;

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  // An empty variable counts as not set.
  std::string text(const char* name) const {
    const char* value = environment_(name);
    return value ? value : "";
  }
  bool has(const char* name) const { return !text(name).empty(); }

  // The first of two variables if it is set, or if neither is. The second is an older name, or
  // describes the whole job.
  const char* first_of(const char* name, const char* other) const {
    return has(name) || !has(other) ? name : other;
  }

  int64_t number(const char* name, int64_t low, int64_t high, const std::string& meaning) const {
    const std::string value = required(name, meaning);
    int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc() || rest != end || number < low || number > high) {
      throw UserError(std::string(name) + " is '" + shown(value) + "': it must be " + meaning +
                      (high == kUnlimited
                           ? ", at least " + std::to_string(low)
                           : ", from " + std::to_string(low) + " to " + std::to_string(high)));
    }
    return number;
  }

  std::string required(const char* name, const std::string& meaning) const {
    if (!has(name)) throw UserError(std::string(name) + " is not set: it must be " + meaning);
    return text(name);
  }

 private:
  const Environment& environment_;
};

// A port below those that the system assigns by itself, so that it is not taken by chance.
uint16_t port_of_job(const std::string& job) {
  constexpr uint32_t kFirst = 20000, kPorts = 10000;
  uint32_t hash = 2166136261;  // FNV-1a
  for (unsigned char c : job) hash = (hash ^ c) * 16777619;
  return static_cast<uint16_t>(kFirst + hash % kPorts);
}

uint16_t port_of(const Variables& variables) {
  return static_cast<uint16_t>(
      variables.number("MASTER_PORT", 1, 65535, "the port where the processes meet"));
}

std::string among(const char* name, int64_t count) {
  return "the number of this process among the " + std::to_string(count) + " of " + name;
}

void read_counts(const Variables& variables, const char* process, const char* processes,
                 LaunchEnvironment& launch) {
  launch.processes =
      static_cast<int32_t>(variables.number(processes, 1, kUnlimited, "the number of processes"));
  launch.process = static_cast<int32_t>(
      variables.number(process, 0, launch.processes - 1, among(processes, launch.processes)));
}

void read_local(const Variables& variables, const char* process, const char* processes,
                LaunchEnvironment& launch) {
  launch.local_process = static_cast<int32_t>(variables.number(
      process, 0, launch.local_processes - 1, among(processes, launch.local_processes)));
}

void read_local_counts(const Variables& variables, const char* process, const char* processes,
                       LaunchEnvironment& launch) {
  launch.local_processes = static_cast<int32_t>(variables.number(
      processes, 1, launch.processes,
      "the number of processes on this node, of " + std::to_string(launch.processes) + " in all"));
  read_local(variables, process, processes, launch);
}

LaunchEnvironment of_torchrun(const Variables& variables) {
  LaunchEnvironment launch;
  launch.launcher = "torchrun";
  read_counts(variables, "RANK", "WORLD_SIZE", launch);
  read_local_counts(variables, "LOCAL_RANK", "LOCAL_WORLD_SIZE", launch);
  launch.address = variables.required("MASTER_ADDR", "the host name of process 0's node");
  launch.port = port_of(variables);
  launch.has_store = variables.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  launch.run =
      variables.text("TORCHELASTIC_RUN_ID") + "." + variables.text("TORCHELASTIC_RESTART_COUNT");
  return launch;
}

// Chooses address and port where the launcher does not set them.
void choose_address(const Variables& variables, LaunchEnvironment& launch) {
  if (variables.has("MASTER_ADDR")) {
    launch.address = variables.text("MASTER_ADDR");
  } else if (launch.local_processes == launch.processes) {
    launch.address = "localhost";
  }
  launch.port = variables.has("MASTER_PORT") ? port_of(variables) : port_of_job(launch.run);
}

LaunchEnvironment of_open_mpi(const Variables& variables) {
  LaunchEnvironment launch;
  launch.launcher = "mpirun";
  read_counts(variables, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", launch);
  read_local_counts(variables, "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", launch);
  // Open MPI 4 sets the first, and Open MPI 5 the second.
  launch.run = variables.text(variables.first_of("OMPI_MCA_ess_base_jobid", "PMIX_NAMESPACE"));
  choose_address(variables, launch);
  if (launch.address.empty()) {
    throw UserError("MASTER_ADDR is not set: of " + std::to_string(launch.processes) +
                    " processes only " + std::to_string(launch.local_processes) +
                    " are on this node, and mpirun does not tell where process 0 is; give its host "
                    "name: mpirun -x MASTER_ADDR=HOST ...");
  }
  return launch;
}

// SLURM_PROCID is also set where srun has not started this process: in a batch script, which has no
// step, and in an interactive shell of salloc, whose step has a special number.
bool is_srun(const Variables& variables) {
  constexpr size_t kDigitsOfSpecialSteps = 10;  // 4294967290
  const std::string step = variables.text("SLURM_STEP_ID");
  return variables.has("SLURM_PROCID") && !step.empty() && step.size() < kDigitsOfSpecialSteps;
}

LaunchEnvironment of_srun(const Variables& variables) {
  LaunchEnvironment launch;
  launch.launcher = "srun";
  read_counts(variables, "SLURM_PROCID", variables.first_of("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"),
              launch);
  const char* tasks = variables.first_of("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE");
  const char* hosts = variables.first_of("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST");
  if (variables.has(tasks)) {
    const std::string list = variables.text(tasks);
    const bool uniform = list.find(',') == std::string::npos;
    const int64_t node =
        uniform ? 0 : variables.number("SLURM_NODEID", 0, kUnlimited, "the number of this node");
    try {
      launch.local_processes = tasks_on_node(list, static_cast<int32_t>(node));
    } catch (const std::invalid_argument& error) {
      throw UserError(std::string(tasks) + ": " + error.what());
    }
    if (launch.local_processes > launch.processes) {
      throw UserError(std::string(tasks) + " is '" + shown(list) +
                      "': it must not be more than the " + std::to_string(launch.processes) +
                      " processes of the step");
    }
    read_local(variables, "SLURM_LOCALID", tasks, launch);
  } else {
    read_local_counts(variables, "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE", launch);
  }
  launch.run = variables.text("SLURM_JOB_ID") + "." + variables.text("SLURM_STEP_ID");
  choose_address(variables, launch);
  if (launch.address.empty()) {
    const std::string list = variables.required(hosts,
                                                "the nodes of the step, the first of which "
                                                "has process 0; or set MASTER_ADDR");
    try {
      launch.address = first_host(list);
    } catch (const std::invalid_argument& error) {
      throw UserError(std::string(hosts) + ": " + error.what());
    }
  }
  return launch;
}

}  // namespace

// The innermost launcher comes first: srun or mpirun may start torchrun, and a Slurm job may run
// mpirun.
std::optional<LaunchEnvironment> launch_environment(const Environment& environment) {
  const Variables variables(environment);
  if (variables.has("RANK")) return of_torchrun(variables);
  if (variables.has("OMPI_COMM_WORLD_RANK")) return of_open_mpi(variables);
  if (is_srun(variables)) return of_srun(variables);
  constexpr const char* kByHand =
      "start with torchrun, srun or Open MPI's mpirun, or set RANK, WORLD_SIZE, LOCAL_RANK, "
      "LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT for each process";
  for (const char* name : {"PMI_RANK", "PMIX_RANK"}) {
    if (!variables.has(name)) continue;
    throw UserError(std::string(name) +
                    " was set by a launcher that does not tell where process 0 is: " + kByHand);
  }
  for (const char* name : {"WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"}) {
    if (!variables.has(name)) continue;
    throw UserError("RANK is not set, but " + std::string(name) + " is: " + kByHand);
  }
  return std::nullopt;
}

std::optional<int32_t> launched_rank(const Environment& environment) {
  const Variables variables(environment);
  const auto number = [&](const char* name) { return std::atoi(variables.text(name).c_str()); };
  // RANK without WORLD_SIZE may have been set by anything.
  if (variables.has("RANK") && variables.has("WORLD_SIZE")) return number("RANK");
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"}) {
    if (variables.has(name)) return number(name);
  }
  if (is_srun(variables)) return number("SLURM_PROCID");
  return std::nullopt;
}

}  // namespace cpbench
