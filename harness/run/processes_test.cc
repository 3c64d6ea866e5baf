// A sweep that processes run together over the store, which a launcher of GPUs would start.
#include "harness/run/processes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "harness/execute/processes/test_processes.h"
#include "harness/plan/errors.h"
#include "harness/run/exit_codes.h"
#include "harness/run/run_job.h"
#include "harness/run/suite.h"

namespace cpbench {
namespace {

// A job whose ranks are the processes, as those of a backend with a GPU per process are.
std::vector<Job> jobs_on(int32_t ranks, uint64_t seed = 1) {
  Suite suite;
  suite.products.resize(1);
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"strategy", "ring"},
                                          {"workload", "pile"},
                                          {"tokens", "256"},
                                          {"ranks", std::to_string(ranks)},
                                          {"backend", "mpi"},
                                          {"seed", std::to_string(seed)}}) {
    suite.products[0].fields[name] = {{value}, "--" + name};
  }
  return jobs_of(suite);
}

constexpr double kTimeout = 60;

GpusOfProcess own_gpu(const LaunchEnvironment& launch) {
  return {"a", {"GPU-" + std::to_string(launch.process)}};
}

TEST(ProcessesOverTheStore, run_jobs_together) {
  const auto ended = run_real_processes(3, [](const LaunchEnvironment& launch) {
    const std::vector<Job> all = jobs_on(3);
    Processes processes(all, launch, own_gpu(launch), kTimeout);
    EXPECT_EQ(processes.gpus().size(), 3u);
    EXPECT_EQ(processes.gpus().at(2).gpus.at(0), "GPU-2");
    if (processes.rank() > 0) {
      EXPECT_EQ(processes.follow(all), kExitOk);
      return;
    }
    const int code = processes.lead([&] {
      for (int i = 0; i < 2; ++i) {
        processes.start(0);
        const Result result =
            run_job(all[0], {.group = &processes.group(), .gpus = processes.gpus()});
        EXPECT_EQ(result.error, "");
        EXPECT_EQ(result.status, Status::ok);
      }
      return 7;
    });
    EXPECT_EQ(code, 7);
  });
  for (const EndedProcess& process : ended) {
    EXPECT_EQ(process.thrown, "");
    EXPECT_EQ(process.stderr_text, "");
    EXPECT_EQ(process.exit_code, 0);
  }
}

TEST(ProcessesOverTheStore, that_were_told_different_things) {
  const auto ended = run_real_processes(2, [](const LaunchEnvironment& launch) {
    Processes(jobs_on(2, launch.process), launch, own_gpu(launch), kTimeout);
  });
  for (const EndedProcess& process : ended) {
    EXPECT_TRUE(process.thrown.starts_with(
        "the processes disagree on the hash of the runs: process 0 has "))
        << process.thrown;
  }
}

TEST(ProcessesOverTheStore, without_a_gpu_for_each_rank) {
  const auto ended = run_real_processes(2, [](const LaunchEnvironment& launch) {
    Processes(jobs_on(16), launch, {"a", {"0", "1", "2", "3", "4", "5", "6", "7"}}, kTimeout);
  });
  for (const EndedProcess& process : ended) {
    EXPECT_EQ(process.thrown, "16 ranks need 16 GPUs; 2 processes with 4 GPUs each have 8");
  }
}

TEST(ProcessesOverTheStore, end_when_process_0_dies) {
  const auto ended = run_real_processes(2, [](const LaunchEnvironment& launch) {
    const std::vector<Job> all = jobs_on(2);
    Processes processes(all, launch, own_gpu(launch), kTimeout);
    if (processes.rank() == 0) ::raise(SIGKILL);
    processes.follow(all);
  });
  EXPECT_EQ(ended[1].exit_code, kExitFailure);
  EXPECT_TRUE(ended[1].stderr_text.starts_with("cpbench: error: process 0 is gone"))
      << ended[1].stderr_text;
}

// The processes that are not stopped end within 1.5 timeouts, and name the one that is. It stops
// when all have the command: what process 0 sends may still wait for its own server, which would
// stop with it.
TEST(ProcessesOverTheStore, end_when_one_is_stopped) {
  constexpr double kShort = 4;
  constexpr double kLoading = 4;  // of LibTorch by three processes, generously
  for (int32_t stopped : {0, 1, 2}) {
    const uint16_t port = free_port();
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    std::vector<RealProcess> started;
    for (int32_t process = 0; process < 3; ++process) {
      started.emplace_back([=] {
        const LaunchEnvironment launch = launch_for_tests(process, 3, port);
        const std::vector<Job> all = jobs_on(3);
        Processes processes(all, launch, own_gpu(launch), kShort);
        if (processes.rank() == 0) {
          processes.start(0);
        } else {
          processes.group().receive_command();
        }
        char byte = 0;
        if (process == stopped) {
          for (int other = 0; other < 2; ++other) ASSERT_EQ(::read(ready[0], &byte, 1), 1);
          ::raise(SIGSTOP);
        }
        ASSERT_EQ(::write(ready[1], &byte, 1), 1);
        const Result result = run_job(
            all[0],
            {.group = &processes.group(), .gpus = processes.gpus(), .timeout_seconds = kShort});
        processes.abort(result.error);
      });
    }
    ::close(ready[0]);
    ::close(ready[1]);
    const auto begin = std::chrono::steady_clock::now();
    for (int32_t process = 0; process < 3; ++process) {
      if (process == stopped) continue;
      const EndedProcess ended = started[process].wait();
      EXPECT_EQ(ended.exit_code, kExitFailure);
      const std::string name = "process " + std::to_string(stopped) + " does not answer";
      const bool told = ended.stderr_text.find("has ended the run") != std::string::npos;
      EXPECT_TRUE(told || ended.stderr_text.find(name) != std::string::npos) << ended.stderr_text;
    }
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(waited.count(), 1.5 * kShort + kLoading) << stopped;
    ::kill(started[stopped].id(), SIGKILL);
    started[stopped].wait();
  }
}

}  // namespace
}  // namespace cpbench
