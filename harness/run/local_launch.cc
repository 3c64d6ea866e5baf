#include "harness/run/local_launch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "harness/execute/processes/store_socket.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTimeToEnd{10};
constexpr std::chrono::milliseconds kPause{10};

void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

void set_process(int32_t process) {
  for (const char* name : {"RANK", "LOCAL_RANK"}) set(name, std::to_string(process));
}

}  // namespace

LocalLaunch::LocalLaunch(const std::vector<std::string>& command_line, int32_t processes) {
  for (const char* name : {"WORLD_SIZE", "LOCAL_WORLD_SIZE"}) set(name, std::to_string(processes));
  set("MASTER_ADDR", "127.0.0.1");
  set("MASTER_PORT", std::to_string(free_port()));
  std::vector<std::string> words = command_line;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  for (int32_t process = 1; process < processes; ++process) {
    set_process(process);
    const pid_t other = ::fork();
    if (other < 0) throw UserError(std::string("cannot start a process: ") + std::strerror(errno));
    if (other > 0) {
      others_.push_back(other);
      continue;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() == parent) ::execv("/proc/self/exe", arguments.data());
    ::_exit(1);
  }
  set_process(0);
}

LocalLaunch::~LocalLaunch() {
  const auto deadline = Clock::now() + kTimeToEnd;
  for (const pid_t other : others_) {
    while (::waitpid(other, nullptr, WNOHANG) == 0) {
      if (Clock::now() > deadline) ::kill(other, SIGKILL);
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace cpbench
