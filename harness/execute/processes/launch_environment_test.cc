// What each launcher sets, and the errors where variables are missing or contradict each other.
#include "harness/execute/processes/launch_environment.h"

#include <gtest/gtest.h>

#include <map>

#include "harness/execute/processes/slurm_lists.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment_of(const Variables& variables) {
  return [&variables](const char* name) -> const char* {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  };
}

std::optional<LaunchEnvironment> launch_of(const Variables& variables) {
  return launch_environment(environment_of(variables));
}

std::string error_of(const Variables& variables) {
  try {
    launch_of(variables);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

Variables with(Variables variables, const Variables& changes) {
  for (const auto& [name, value] : changes) variables[name] = value;
  return variables;
}

// Process 5 of 8 on two nodes, by each launcher.
const Variables kTorchrun = {{"RANK", "5"},           {"WORLD_SIZE", "8"},
                             {"LOCAL_RANK", "1"},     {"LOCAL_WORLD_SIZE", "4"},
                             {"MASTER_ADDR", "gpu7"}, {"MASTER_PORT", "29500"}};
const Variables kSrun = {{"SLURM_JOB_ID", "123"},
                         {"SLURM_STEP_ID", "0"},
                         {"SLURM_PROCID", "5"},
                         {"SLURM_STEP_NUM_TASKS", "8"},
                         {"SLURM_NTASKS", "64"},
                         {"SLURM_LOCALID", "1"},
                         {"SLURM_NODEID", "1"},
                         {"SLURM_STEP_TASKS_PER_NODE", "4(x2)"},
                         {"SLURM_TASKS_PER_NODE", "32(x2)"},
                         {"SLURM_STEP_NODELIST", "gpu[007,009]"},
                         {"SLURM_JOB_NODELIST", "cpu1,gpu[007,009]"}};
const Variables kMpirun = {{"OMPI_COMM_WORLD_RANK", "5"},
                           {"OMPI_COMM_WORLD_SIZE", "8"},
                           {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                           {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
                           {"OMPI_MCA_ess_base_jobid", "402456577"},
                           {"MASTER_ADDR", "gpu7"}};

void expect_process_5_of_8(const LaunchEnvironment& launch, const std::string& launcher) {
  EXPECT_EQ(launch.launcher, launcher);
  EXPECT_EQ(launch.process, 5);
  EXPECT_EQ(launch.processes, 8);
  EXPECT_EQ(launch.local_process, 1);
  EXPECT_EQ(launch.local_processes, 4);
}

TEST(LaunchEnvironment, none) {
  EXPECT_FALSE(launch_of({}));
  EXPECT_FALSE(launch_of({{"MASTER_ADDR", "gpu7"}, {"MASTER_PORT", "1"}, {"RANK", ""}}));
}

TEST(LaunchEnvironment, torchrun) {
  const auto launch = launch_of(kTorchrun);
  expect_process_5_of_8(*launch, "torchrun");
  EXPECT_EQ(launch->address, "gpu7");
  EXPECT_EQ(launch->port, 29500);
  EXPECT_FALSE(launch->has_store);

  const auto served = launch_of(with(kTorchrun, {{"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                 {"TORCHELASTIC_RUN_ID", "none"},
                                                 {"TORCHELASTIC_RESTART_COUNT", "2"}}));
  EXPECT_TRUE(served->has_store);
  EXPECT_EQ(served->run, "none.2");
}

TEST(LaunchEnvironment, bad_torchrun) {
  EXPECT_EQ(error_of(with(kTorchrun, {{"WORLD_SIZE", ""}})),
            "WORLD_SIZE is not set: it must be the number of processes");
  EXPECT_EQ(error_of(with(kTorchrun, {{"RANK", "8"}})),
            "RANK is '8': it must be the number of this process among the 8 of WORLD_SIZE, from 0 "
            "to 7");
  EXPECT_EQ(error_of(with(kTorchrun, {{"WORLD_SIZE", "eight"}})),
            "WORLD_SIZE is 'eight': it must be the number of processes, at least 1");
  EXPECT_EQ(
      error_of(with(kTorchrun, {{"LOCAL_RANK", "4"}})),
      "LOCAL_RANK is '4': it must be the number of this process among the 4 of LOCAL_WORLD_SIZE, "
      "from 0 to 3");
  EXPECT_EQ(error_of(with(kTorchrun, {{"LOCAL_RANK", ""}})),
            "LOCAL_RANK is not set: it must be the number of this process among the 4 of "
            "LOCAL_WORLD_SIZE");
  EXPECT_EQ(
      error_of(with(kTorchrun, {{"LOCAL_WORLD_SIZE", "16"}})),
      "LOCAL_WORLD_SIZE is '16': it must be the number of processes on this node, of 8 in all, "
      "from 1 to 8");
  EXPECT_EQ(error_of(with(kTorchrun, {{"MASTER_ADDR", ""}})),
            "MASTER_ADDR is not set: it must be the host name of process 0's node");
  for (const std::string port : {"0", "65536", "http", "29500 ", "-1"}) {
    EXPECT_EQ(error_of(with(kTorchrun, {{"MASTER_PORT", port}})),
              "MASTER_PORT is '" + port +
                  "': it must be the port where the processes meet, from 1 to 65535");
  }
  EXPECT_TRUE(error_of({{"WORLD_SIZE", "2"}}).starts_with("RANK is not set, but WORLD_SIZE is: "));
}

TEST(LaunchEnvironment, srun) {
  const auto launch = launch_of(kSrun);
  expect_process_5_of_8(*launch, "srun");
  EXPECT_EQ(launch->address, "gpu007");
  EXPECT_EQ(launch->run, "123.0");
  EXPECT_GE(launch->port, 20000);
  EXPECT_LT(launch->port, 30000);

  // Two steps of one job may run at the same time on the same nodes.
  EXPECT_NE(launch_of(with(kSrun, {{"SLURM_STEP_ID", "1"}}))->port, launch->port);
  EXPECT_EQ(launch_of(with(kSrun, {{"SLURM_PROCID", "0"}}))->port, launch->port);

  const auto told =
      launch_of(with(kSrun, {{"MASTER_ADDR", "gpu009-ib0"}, {"MASTER_PORT", "4000"}}));
  EXPECT_EQ(told->address, "gpu009-ib0");
  EXPECT_EQ(told->port, 4000);
}

TEST(LaunchEnvironment, srun_with_older_or_other_variables) {
  Variables variables = kSrun;
  for (const char* name :
       {"SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE", "SLURM_STEP_NODELIST"}) {
    variables.erase(name);
  }
  const auto of_job = launch_of(variables);
  EXPECT_EQ(of_job->processes, 64);
  EXPECT_EQ(of_job->local_processes, 32);
  EXPECT_EQ(of_job->address, "cpu1");

  variables.erase("SLURM_TASKS_PER_NODE");
  variables["SLURM_NTASKS_PER_NODE"] = "16";
  EXPECT_EQ(launch_of(variables)->local_processes, 16);

  // The nodes have different numbers of tasks, and this is the second node.
  EXPECT_EQ(launch_of(with(kSrun, {{"SLURM_STEP_TASKS_PER_NODE", "6,2"}}))->local_processes, 2);
}

TEST(LaunchEnvironment, srun_on_one_node_needs_no_host_name) {
  EXPECT_EQ(launch_of(with(kSrun, {{"SLURM_STEP_TASKS_PER_NODE", "8"}}))->address, "localhost");
}

// Slurm also numbers the one process of a batch script or of salloc's shell.
TEST(LaunchEnvironment, inside_a_slurm_job_without_srun) {
  Variables variables = kSrun;
  variables.erase("SLURM_STEP_ID");
  EXPECT_FALSE(launch_of(variables));
  EXPECT_FALSE(launched_rank(environment_of(variables)));
  EXPECT_FALSE(launch_of(with(kSrun, {{"SLURM_STEP_ID", "4294967290"}})));
}

TEST(LaunchEnvironment, bad_srun) {
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_PROCID", "9"}})),
            "SLURM_PROCID is '9': it must be the number of this process among the 8 of "
            "SLURM_STEP_NUM_TASKS, from 0 to 7");
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_LOCALID", "4"}})),
            "SLURM_LOCALID is '4': it must be the number of this process among the 4 of "
            "SLURM_STEP_TASKS_PER_NODE, from 0 to 3");
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_STEP_TASKS_PER_NODE", "four"}})),
            "SLURM_STEP_TASKS_PER_NODE: 'four' is not a list of tasks per node such as 4(x2),1");
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_STEP_TASKS_PER_NODE", "16(x2)"}})),
            "SLURM_STEP_TASKS_PER_NODE is '16(x2)': it must not be more than the 8 "
            "processes of the step");
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_STEP_TASKS_PER_NODE", "5,3"}, {"SLURM_NODEID", ""}})),
            "SLURM_NODEID is not set: it must be the number of this node");
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_STEP_NODELIST", "gpu[007"}})),
            "SLURM_STEP_NODELIST: 'gpu[007' is not a list of hosts such as "
            "gpu[003-006,9],login1");
  EXPECT_EQ(
      error_of(with(kSrun, {{"SLURM_STEP_NODELIST", ""}, {"SLURM_JOB_NODELIST", ""}})),
      "SLURM_STEP_NODELIST is not set: it must be the nodes of the step, the first of which has "
      "process 0; or set MASTER_ADDR");
  EXPECT_EQ(error_of(with(kSrun, {{"SLURM_STEP_NUM_TASKS", ""}, {"SLURM_NTASKS", ""}})),
            "SLURM_STEP_NUM_TASKS is not set: it must be the number of processes");
}

TEST(LaunchEnvironment, open_mpi) {
  const auto launch = launch_of(kMpirun);
  expect_process_5_of_8(*launch, "mpirun");
  EXPECT_EQ(launch->address, "gpu7");
  EXPECT_NE(launch_of(with(kMpirun, {{"OMPI_MCA_ess_base_jobid", "402522113"}}))->port,
            launch->port);

  const auto here =
      launch_of(with(kMpirun, {{"OMPI_COMM_WORLD_LOCAL_SIZE", "8"}, {"MASTER_ADDR", ""}}));
  EXPECT_EQ(here->address, "localhost");
}

TEST(LaunchEnvironment, bad_open_mpi) {
  EXPECT_EQ(error_of(with(kMpirun, {{"MASTER_ADDR", ""}})),
            "MASTER_ADDR is not set: of 8 processes only 4 are on this node, and mpirun does not "
            "tell where process 0 is; give its host name: mpirun -x MASTER_ADDR=HOST ...");
  EXPECT_EQ(error_of(with(kMpirun, {{"OMPI_COMM_WORLD_SIZE", ""}})),
            "OMPI_COMM_WORLD_SIZE is not set: it must be the number of processes");
}

TEST(LaunchEnvironment, the_innermost_of_nested_launchers_counts) {
  EXPECT_EQ(launch_of(with(kSrun, kMpirun))->launcher, "mpirun");
  EXPECT_EQ(launch_of(with(with(kSrun, kMpirun), kTorchrun))->launcher, "torchrun");
}

TEST(LaunchEnvironment, bad_launcher_that_sets_only_pmi) {
  EXPECT_TRUE(error_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}})
                  .starts_with("PMI_RANK was set by a launcher that does not tell"));
}

TEST(LaunchedRank, of_any_launcher) {
  for (const Variables& variables :
       {kTorchrun, kSrun, kMpirun, Variables{{"PMI_RANK", "5"}}, Variables{{"PMIX_RANK", "5"}}}) {
    EXPECT_EQ(launched_rank(environment_of(variables)), 5);
  }
  for (const Variables& variables : {Variables{}, Variables{{"RANK", "5"}}}) {
    EXPECT_FALSE(launched_rank(environment_of(variables)));
  }
}

TEST(SlurmLists, first_host) {
  for (const auto& [list, host] : Variables{{"gpu7", "gpu7"},
                                            {"gpu7,gpu9", "gpu7"},
                                            {"gpu[003-006,9],login1", "gpu003"},
                                            {"gpu[12,3-6]", "gpu12"},
                                            {"login1,gpu[003-006]", "login1"},
                                            {"rack[1-2]node[01-16]-ib", "rack1node01-ib"},
                                            {"n[3].cluster.example", "n3.cluster.example"}}) {
    EXPECT_EQ(first_host(list), host) << list;
  }
  for (const std::string list : {"", ",", "gpu[", "gpu[]", "gpu[x]", "gpu[3", "gpu]3", "a b"}) {
    EXPECT_THROW(first_host(list), std::invalid_argument) << list;
  }
}

TEST(SlurmLists, tasks_on_node) {
  for (const auto& [node, tasks] : std::map<int, int>{{0, 4}, {1, 4}, {2, 1}, {3, 12}}) {
    EXPECT_EQ(tasks_on_node("4(x2),1,12", node), tasks);
  }
  EXPECT_EQ(tasks_on_node("8", 0), 8);
  for (const std::string list : {"", "x", "0", "4(x2", "4(x0)", "4(2)", "4;1", "4,"}) {
    EXPECT_THROW(tasks_on_node(list, 1), std::invalid_argument) << list;
  }
  EXPECT_THROW(tasks_on_node("4(x2)", 2), std::invalid_argument);
}

}  // namespace
}  // namespace cpbench
