#include "harness/store/external.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "harness/plan/errors.h"
#include "harness/store/plan_json.h"

extern char** environ;

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kUnsupportedStatus = 77;                 // as of the command line: skipped
constexpr size_t kKeptErrorBytes = size_t{16} * 1024;  // of the standard error's end
constexpr size_t kMaxOutputBytes = size_t{4} << 30;    // a plan of 1,024 ranks is far below
constexpr int kExitPollMilliseconds = 5;

class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return id_; }
  bool open() const { return id_ >= 0; }
  void set(int id) { id_ = id; }
  void close() {
    if (id_ >= 0) ::close(id_);
    id_ = -1;
  }

 private:
  int id_ = -1;
};

struct Pipe {
  Descriptor read, write;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw UserError(std::string("pipe: ") + std::strerror(errno));
    read.set(ends[0]);
    write.set(ends[1]);
  }
};

// A program that ends without reading all of its input must not end us by SIGPIPE.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~SigpipeBlocked() {
    if (!sigismember(&before_, SIGPIPE)) {
      const timespec now{};
      sigtimedwait(&set_, nullptr, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t set_, before_;
};

// A running program with its own process group, so that helpers it starts end with it.
class Process {
 public:
  Process(const std::string& program, const sigset_t& mask) : program_(program) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in_.read.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out_.write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error_.write.get(), STDERR_FILENO);
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    std::string name = program;
    char* arguments[] = {name.data(), nullptr};
    const int failed =
        posix_spawnp(&id_, program.c_str(), &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
      id_ = -1;
      fail(fmt::format("cannot be started: {}; give the path of an executable program",
                       std::strerror(failed)));
    }
    in_.read.close();
    out_.write.close();
    error_.write.close();
    for (int id : {in_.write.get(), out_.read.get(), error_.read.get()}) {
      ::fcntl(id, F_SETFL, O_NONBLOCK);
    }
  }
  ~Process() {
    if (id_ < 0) return;
    ::kill(-id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }

  // Feeds `input`, gathers what comes, returns the wait status.
  int run(const std::string& input, double timeout_seconds) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(timeout_seconds));
    size_t fed = 0;
    if (input.empty()) in_.write.close();
    while (out_.read.open() || error_.read.open()) {
      pollfd files[] = {{in_.write.get(), POLLOUT, 0},
                        {out_.read.get(), POLLIN, 0},
                        {error_.read.get(), POLLIN, 0}};  // negative ones are ignored
      wait(files, 3, deadline, timeout_seconds);
      if (files[0].revents != 0) feed(input, fed);
      if (files[1].revents != 0) take(out_.read, output_);
      if (files[2].revents != 0) take(error_.read, errors_);
      if (output_.size() > kMaxOutputBytes) fail("writes more than 4 GiB; a plan is smaller");
      if (errors_.size() > 2 * kKeptErrorBytes) {
        errors_.erase(0, errors_.size() - kKeptErrorBytes);
      }
    }
    in_.write.close();
    for (int status = 0;;) {
      if (::waitpid(id_, &status, WNOHANG) == id_) {
        id_ = -1;
        return status;
      }
      pollfd none{-1, 0, 0};
      wait(&none, 1, deadline, timeout_seconds, kExitPollMilliseconds);
    }
  }

  const std::string& output() const { return output_; }
  // ": <the last line of its standard error>", or nothing.
  std::string last_words() const {
    const size_t end = errors_.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return "";
    const size_t start = errors_.find_last_of("\r\n", end);
    return ": " + errors_.substr(start == std::string::npos ? 0 : start + 1,
                                 end - (start == std::string::npos ? -1 : start));
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError("exec:" + program_ + " " + what + last_words());
  }

 private:
  void wait(pollfd* files, int count, Clock::time_point deadline, double timeout_seconds,
            int at_most_milliseconds = 60'000) const {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) fail(fmt::format("gave no plan within {} s", timeout_seconds));
    const int milliseconds = static_cast<int>(std::min<int64_t>(left + 1, at_most_milliseconds));
    if (::poll(files, count, milliseconds) < 0 && errno == EINTR) fail("was interrupted");
  }
  void feed(const std::string& input, size_t& fed) {
    const ssize_t n = ::write(in_.write.get(), input.data() + fed, input.size() - fed);
    if (n > 0) fed += static_cast<size_t>(n);
    const bool refused = n < 0 && errno != EAGAIN;  // it may not care for all of its input
    if (refused || fed == input.size()) in_.write.close();
  }
  static void take(Descriptor& from, std::string& into) {
    char buffer[64 * 1024];
    const ssize_t n = ::read(from.get(), buffer, sizeof buffer);
    if (n > 0) into.append(buffer, static_cast<size_t>(n));
    if (n == 0 || (n < 0 && errno != EAGAIN)) from.close();
  }

  std::string program_;
  Pipe in_, out_, error_;
  pid_t id_ = -1;
  std::string output_, errors_;
};

}  // namespace

Plan external_plan(const std::string& program, const Problem& problem, double timeout_seconds) {
  if (program.empty()) throw UserError("exec: names no program; write exec:PROGRAM");
  const SigpipeBlocked blocked;
  Process process(program, blocked.before());
  const int status = process.run(problem_json(problem) + "\n", timeout_seconds);
  if (WIFSIGNALED(status)) {
    process.fail(fmt::format("was ended by signal {} ({})", WTERMSIG(status),
                             ::strsignal(WTERMSIG(status))));
  }
  if (WEXITSTATUS(status) == kUnsupportedStatus) {
    throw Unsupported("exec:" + program + " cannot do this problem" + process.last_words());
  }
  if (WEXITSTATUS(status) != 0) {
    process.fail(fmt::format("ended with exit status {}", WEXITSTATUS(status)));
  }
  try {
    return plan_from_json(process.output());
  } catch (const UserError& error) {
    process.fail(fmt::format("gave no usable plan: {}", error.what()));
  }
}

}  // namespace cpbench
