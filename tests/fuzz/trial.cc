#include "tests/fuzz/trial.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <typeinfo>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Sanitizers reserve terabytes of addresses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kBoundMemory = false;
#else
constexpr bool kBoundMemory = true;
#endif

constexpr size_t kLongestMessage = 2000;  // bytes of a refusal, with a path and a list of names

// What the child tells its parent while it runs.
struct Shared {
  int64_t index;
  char reason[1024];
};

void bound(int resource, rlim_t soft) {
  rlimit limit{};
  getrlimit(resource, &limit);
  limit.rlim_cur = std::min<rlim_t>(soft, limit.rlim_max);
  setrlimit(resource, &limit);
}

int64_t address_space_bytes() {
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

void bound_time(int32_t seconds) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  bound(RLIMIT_CPU, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1 + seconds));
  alarm(10 * static_cast<unsigned>(seconds));
}

// "" if the reader accepts the input or refuses it as it should.
std::string failure_of(const FuzzTarget& target, const std::string& input) {
  try {
    target.run(input);
  } catch (const UserError& error) {
    const std::string message = error.what();
    if (message.find('\n') != std::string::npos) return "a refusal of several lines: " + message;
    if (message.size() > kLongestMessage)
      return "a refusal of " + std::to_string(message.size()) + " bytes";
  } catch (const std::exception& error) {
    return std::string(typeid(error).name()) + ": " + error.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
  return "";
}

[[noreturn]] void run_child(const FuzzTarget& target, int64_t count,
                            const std::function<std::string(int64_t)>& input_of,
                            const std::function<bool()>& stop, TrialBounds bounds, Shared& shared) {
  bound(RLIMIT_CORE, 0);
  if (kBoundMemory) {
    bound(RLIMIT_AS, static_cast<rlim_t>(address_space_bytes() + bounds.memory_bytes));
  }
  for (int64_t i = 0; i < count && !stop(); ++i) {
    const std::string input = input_of(i);
    bound_time(bounds.seconds);
    const std::string failure = failure_of(target, input);
    if (!failure.empty()) {
      std::snprintf(shared.reason, sizeof shared.reason, "%s", failure.c_str());
      _exit(1);
    }
    shared.index = i + 1;
  }
  _exit(0);
}

}  // namespace

std::optional<TrialFailure> run_trials(const FuzzTarget& target, int64_t count,
                                       const std::function<std::string(int64_t)>& input_of,
                                       const std::function<bool()>& stop, int64_t& ran,
                                       TrialBounds bounds) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory to share with a child");
  auto& shared = *new (memory) Shared{};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) run_child(target, count, input_of, stop, bounds, shared);
  int status = 0;
  waitpid(child, &status, 0);
  ran = shared.index;
  std::optional<TrialFailure> failure;
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    failure = {ran, "killed by signal " + std::to_string(number) + " (" + strsignal(number) + ")"};
  } else if (WEXITSTATUS(status) != 0) {
    const std::string reason = shared.reason;
    failure = {ran, reason.empty() ? "the process ended itself" : reason};
  }
  munmap(memory, sizeof(Shared));
  return failure;
}

}  // namespace cpbench
