#include "harness/store/in_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>
#include <stdexcept>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr unsigned kSeconds = 30;  // of CPU time, which does not depend on what else runs
constexpr unsigned kWallSeconds = 10 * kSeconds;
constexpr rlim_t kMemoryBytes = rlim_t{4} << 30;  // besides what the parent has
// The child's answer: one of these, the text, and kEnd, without which the answer is not whole.
constexpr char kReturned = 'r', kThrew = 't', kEnd = '.';

// A limit is never raised, so a stricter one of the shell stays.
void limit(int resource, rlim_t value) {
  rlimit old{};
  getrlimit(static_cast<__rlimit_resource_t>(resource), &old);
  old.rlim_cur = std::min(value, old.rlim_cur);
  setrlimit(static_cast<__rlimit_resource_t>(resource), &old);
}

void limit_this_process() {
  rlim_t pages = 0;  // of address space in use
  std::ifstream("/proc/self/statm") >> pages;
  limit(RLIMIT_AS, pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kMemoryBytes);
  limit(RLIMIT_CORE, 0);
  for (int signal : {SIGXCPU, SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGINT, SIGTERM}) {
    std::signal(signal, SIG_DFL);  // handlers are the parent's
  }
  limit(RLIMIT_CPU, kSeconds);
  alarm(kWallSeconds);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);  // for what an abort prints
  ::dup2(nowhere, STDERR_FILENO);
}

std::string answer_of(const std::string& name, const std::function<std::string()>& work) {
  try {
    return kReturned + work() + kEnd;
  } catch (const UserError& error) {
    return std::string(1, kThrew) + error.what() + kEnd;
  } catch (const std::bad_alloc&) {
    return kThrew + name + ": is damaged: reading it requires too much memory" + kEnd;
  } catch (const std::exception& error) {
    return kThrew + name + ": is damaged: " + error.what() + kEnd;
  }
}

[[noreturn]] void be_child(int out, const std::string& name,
                           const std::function<std::string()>& work) {
  limit_this_process();
  const std::string answer = answer_of(name, work);
  for (size_t done = 0; done < answer.size();) {
    const ssize_t n = ::write(out, answer.data() + done, answer.size() - done);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) done += static_cast<size_t>(n);
  }
  _exit(0);  // without the parent's clean-up
}

std::string read_all(int in) {
  std::string bytes;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t n = ::read(in, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) return bytes;
    if (n > 0) bytes.append(buffer, static_cast<size_t>(n));
  }
}

std::string death(int status) {
  if (!WIFSIGNALED(status)) return "ends the reader";
  if (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM) {
    return fmt::format("takes longer than {} s", kSeconds);
  }
  return fmt::format("ends the reader by signal {} ({})", WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
}

}  // namespace

std::string in_child(const std::string& name, const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw UserError(name + ": " + std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) be_child(ends[1], name, work);
  const int error = errno;
  ::close(ends[1]);
  std::string answer = child < 0 ? "" : read_all(ends[0]);
  ::close(ends[0]);
  if (child < 0) throw UserError(name + ": cannot be read: " + std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (answer.size() < 2 || answer.back() != kEnd) {
    throw UserError(name + ": is damaged: reading it " + death(status));
  }
  const std::string text = answer.substr(1, answer.size() - 2);
  if (answer.front() == kThrew) throw UserError(text);
  return text;
}

}  // namespace cpbench
