#include "harness/programs/run_program.h"

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

extern char** environ;

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kKeptErrorBytes = size_t{16} * 1024;  // of the end of the standard error
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
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw UserError(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    read.set(ends[0]);
    write.set(ends[1]);
  }
};

// Without this, a program that ends before it has read all of its input would end cpbench by
// SIGPIPE.
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

// A running program in a process group of its own, so that programs that it started end with it.
class Process {
 public:
  Process(const std::string& program, const ProgramOptions& options, const sigset_t& mask)
      : options_(options) {
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
      fail(fmt::format("cannot be started: {}{}", std::strerror(failed), options.hint));
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

  // Writes `input`, collects what the program writes, and returns its wait status.
  int run(const std::string& input) {
    const std::chrono::duration<double> timeout(options_.timeout_seconds);
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout);
    size_t fed = 0;
    if (input.empty()) in_.write.close();
    while (out_.read.open() || error_.read.open()) {
      pollfd files[] = {{in_.write.get(), POLLOUT, 0},
                        {out_.read.get(), POLLIN, 0},
                        {error_.read.get(), POLLIN, 0}};  // closed ones are -1: poll skips them
      wait(files, 3, deadline);
      if (files[0].revents != 0) feed(input, fed);
      if (files[1].revents != 0) take(out_.read, output_);
      if (files[2].revents != 0) take(error_.read, errors_);
      if (output_.size() > kMaxOutputBytes) fail("wrote more than 4 GiB");
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
      wait(&none, 1, deadline, kExitPollMilliseconds);
    }
  }

  std::string take_output() { return std::move(output_); }
  std::string last_words() const {
    const size_t end = errors_.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return "";
    const size_t start = errors_.find_last_of("\r\n", end) + 1;  // npos + 1 is 0
    return errors_.substr(start, end + 1 - start);
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(program_message(options_.name, what, last_words()));
  }

 private:
  void wait(pollfd* files, int count, Clock::time_point deadline,
            int at_most_milliseconds = 60'000) const {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) fail(fmt::format("did not end within {} s", options_.timeout_seconds));
    const int milliseconds = static_cast<int>(std::min<int64_t>(left + 1, at_most_milliseconds));
    if (::poll(files, count, milliseconds) < 0 && errno == EINTR) fail("was interrupted");
  }
  void feed(const std::string& input, size_t& fed) {
    const ssize_t n = ::write(in_.write.get(), input.data() + fed, input.size() - fed);
    if (n > 0) fed += static_cast<size_t>(n);
    const bool refused = n < 0 && errno != EAGAIN;  // it need not read all of its input
    if (refused || fed == input.size()) in_.write.close();
  }
  static void take(Descriptor& from, std::string& into) {
    char buffer[64 * 1024];
    const ssize_t n = ::read(from.get(), buffer, sizeof buffer);
    if (n > 0) into.append(buffer, static_cast<size_t>(n));
    if (n == 0 || (n < 0 && errno != EAGAIN)) from.close();
  }

  const ProgramOptions& options_;
  Pipe in_, out_, error_;
  pid_t id_ = -1;
  std::string output_, errors_;
};

}  // namespace

ProgramRun run_program(const std::string& program, const std::string& input,
                       const ProgramOptions& options) {
  const SigpipeBlocked blocked;
  Process process(program, options, blocked.before());
  const int status = process.run(input);
  if (WIFSIGNALED(status)) {
    process.fail(fmt::format("was ended by signal {} ({})", WTERMSIG(status),
                             ::strsignal(WTERMSIG(status))));
  }
  return {WEXITSTATUS(status), process.take_output(), process.last_words()};
}

std::string program_message(const std::string& name, const std::string& what,
                            const std::string& last_words) {
  return name + " " + what + (last_words.empty() ? "" : ": " + last_words);
}

}  // namespace cpbench
