// The answer is one byte, a Kind, and then what the function returned or the message of what it
// threw.
#include "harness/programs/in_child.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
#include <stdexcept>

#include "harness/plan/errors.h"
#include "harness/programs/child_process.h"

namespace cpbench {
namespace {

enum Kind : char {
  returned = 'r',
  user_error = 'u',
  unsupported = 'n',
  no_memory = 'm',
  other = 'o'
};

std::string answer_of(const std::function<std::string()>& work) {
  try {
    return char{returned} + work();
  } catch (const UserError& error) {
    return char{user_error} + std::string(error.what());
  } catch (const Unsupported& error) {
    return char{unsupported} + std::string(error.what());
  } catch (const std::bad_alloc&) {
    return {char{no_memory}};
  } catch (const std::exception& error) {
    return char{other} + std::string(error.what());
  }
}

// Runs no handler of the parent: one of them would write what other threads have buffered.
void exit_at_once(int status, void*) { _exit(status); }

// A limit of the shell that is stricter stays.
void limit_memory(size_t more_bytes) {
  rlim_t pages = 0;  // of address space in use
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  const rlim_t used = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
  limit.rlim_cur = std::min(used + more_bytes, limit.rlim_cur);
  setrlimit(RLIMIT_AS, &limit);
}

[[noreturn]] void be_child(const ChildStart& start, size_t most_memory_bytes,
                           const std::function<std::string()>& work) {
  constexpr int kAnswer = STDERR_FILENO + 1;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends with the thread that waits for it
  for (int id : {SIGINT, SIGTERM, SIGPIPE}) ::signal(id, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &start.mask, nullptr);
  on_exit(exit_at_once, nullptr);
  // The pipes are above the standard files, as those are open, so none is overwritten before it is
  // copied: the answer goes last.
  dup2(start.in, STDIN_FILENO);
  dup2(start.error, STDOUT_FILENO);
  dup2(start.error, STDERR_FILENO);
  dup2(start.out, kAnswer);
  close_range(kAnswer + 1, ~0U, 0);
  if (most_memory_bytes > 0) limit_memory(most_memory_bytes);
  const std::string answer = answer_of(work);
  for (size_t done = 0; done < answer.size();) {
    const ssize_t n = ::write(kAnswer, answer.data() + done, answer.size() - done);
    if (n < 0) _exit(EXIT_FAILURE);
    done += static_cast<size_t>(n);
  }
  _exit(EXIT_SUCCESS);
}

pid_t fork_child(const ChildStart& start, size_t most_memory_bytes,
                 const std::function<std::string()>& work) {
  const pid_t id = ::fork();
  if (id == 0) {
    ::setpgid(0, 0);
    be_child(start, most_memory_bytes, work);
  }
  if (id > 0) ::setpgid(id, id);  // whichever of the two comes first
  return id;
}

}  // namespace

ChildAnswer in_child(const ProgramOptions& options, const std::function<std::string()>& work) {
  ChildProcess child(options, [&](const ChildStart& start) {
    return fork_child(start, options.most_memory_bytes, work);
  });
  const int status = child.run("");
  std::string answer = child.take_output();
  if (status != EXIT_SUCCESS || answer.empty()) {
    child.fail(fmt::format("ended with exit status {}", status));
  }
  const char kind = answer.front();
  answer.erase(0, 1);
  switch (kind) {
    case user_error:
      throw UserError(answer);
    case unsupported:
      throw Unsupported(answer);
    case no_memory:
      throw std::bad_alloc();
    case other:
      throw std::runtime_error(answer);
    default:
      return {std::move(answer), child.cpu_seconds()};
  }
}

}  // namespace cpbench
