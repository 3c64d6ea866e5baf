// Starts real processes that meet at a free port of this machine, for tests of the store's wire.
//
//   const auto ended = run_real_processes(3, [](const LaunchEnvironment& launch) { ... });
//   EXPECT_EQ(ended[0].thrown, "rank 2 does not answer; ...");
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/execute/processes/launch_environment.h"
#include "harness/execute/processes/store_socket.h"

namespace cpbench {

inline LaunchEnvironment launch_for_tests(int32_t process, int32_t processes, uint16_t port) {
  LaunchEnvironment launch;
  launch.launcher = "a test";
  launch.process = launch.local_process = process;
  launch.processes = launch.local_processes = processes;
  launch.address = "localhost";
  launch.port = port;
  launch.run = "test";
  return launch;
}

struct EndedProcess {
  std::string thrown;  // message of the exception that the body threw; empty if none
  std::string stderr_text;
  int exit_code = -1;  // 1 if an expectation in the body failed
  int signal = 0;      // the signal that killed it, if any
};

class RealProcess {
 public:
  explicit RealProcess(const std::function<void()>& body) {
    int thrown[2], errors[2];
    if (::pipe(thrown) != 0 || ::pipe(errors) != 0) throw std::runtime_error("no pipes");
    id_ = ::fork();
    if (id_ == 0) {
      ::dup2(errors[1], STDERR_FILENO);
      // The store looks up host names, and a name server may be slow.
      ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
      int code = 0;
      try {
        body();
      } catch (const std::exception& error) {
        const std::string text = error.what();
        code = ::write(thrown[1], text.data(), text.size()) < 0;
      }
      std::fflush(stdout);
      ::_exit(::testing::Test::HasFailure() ? 1 : code);
    }
    ::close(thrown[1]);
    ::close(errors[1]);
    thrown_ = thrown[0];
    errors_ = errors[0];
  }

  pid_t id() const { return id_; }

  EndedProcess wait() {
    EndedProcess ended;
    read_all(ended);
    int status = 0;
    ::waitpid(id_, &status, 0);
    if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
    return ended;
  }

 private:
  void read_all(EndedProcess& ended) {
    pollfd files[] = {{thrown_, POLLIN, 0}, {errors_, POLLIN, 0}};
    std::string* texts[] = {&ended.thrown, &ended.stderr_text};
    for (int open = 2; open > 0;) {
      ::poll(files, 2, -1);
      for (int i = 0; i < 2; ++i) {
        if (files[i].fd < 0 || files[i].revents == 0) continue;
        char buffer[4096];
        const ssize_t size = ::read(files[i].fd, buffer, sizeof buffer);
        if (size > 0) {
          texts[i]->append(buffer, size);
        } else {
          ::close(files[i].fd);
          files[i].fd = -1;
          --open;
        }
      }
    }
  }

  pid_t id_ = -1;
  int thrown_ = -1, errors_ = -1;
};

// Runs the body in each process and waits for all of them.
inline std::vector<EndedProcess> run_real_processes(
    int32_t processes, const std::function<void(const LaunchEnvironment& launch)>& body) {
  const uint16_t port = free_port();
  std::vector<RealProcess> started;
  for (int32_t process = 0; process < processes; ++process) {
    started.emplace_back([&] { body(launch_for_tests(process, processes, port)); });
  }
  std::vector<EndedProcess> ended;
  for (RealProcess& process : started) ended.push_back(process.wait());
  return ended;
}

}  // namespace cpbench
