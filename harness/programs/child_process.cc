#include "harness/programs/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/plan/errors.h"
#include "harness/programs/printable.h"

namespace cpbench {
namespace {

constexpr size_t kKeptErrorBytes = size_t{16} * 1024;  // of the end of the standard error
// How soon the end of a process is seen. One that leaves its pipes open to a child is rare; one
// that closes them usually ends at once.
constexpr int kOpenPollMilliseconds = 50;
constexpr int kClosedPollMilliseconds = 1;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

void Descriptor::close() {
  if (id_ >= 0) ::close(id_);
  id_ = -1;
}

Pipe::Pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw UserError(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  read.set(ends[0]);
  write.set(ends[1]);
}

SigpipeBlocked::SigpipeBlocked() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set_, &before_);
}

SigpipeBlocked::~SigpipeBlocked() {
  if (!sigismember(&before_, SIGPIPE)) {
    const timespec now{};
    sigtimedwait(&set_, nullptr, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

ChildProcess::ChildProcess(const ProgramOptions& options,
                           const std::function<pid_t(const ChildStart&)>& start)
    : options_(options) {
  id_ = start({in_.read.get(), out_.write.get(), error_.write.get(), sigpipe_.before()});
  if (id_ < 0) fail(fmt::format("cannot be started: {}{}", std::strerror(errno), options.hint));
  in_.read.close();
  out_.write.close();
  error_.write.close();
  for (int id : {in_.write.get(), out_.read.get(), error_.read.get()}) {
    ::fcntl(id, F_SETFL, O_NONBLOCK);
  }
}

ChildProcess::~ChildProcess() {
  if (id_ < 0) return;
  ::kill(-id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

int ChildProcess::run(const std::string& input) {
  if (input.empty()) in_.write.close();
  while (!has_ended()) wait(input);
  // Before it is waited for: until then no other process can have its id.
  ::kill(-id_, SIGKILL);
  while (take(out_.read, output_) || take(error_.read, errors_)) require_time();
  return end();
}

// Leaves it to be waited for.
bool ChildProcess::has_ended() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == id_;
}

int ChildProcess::end() {
  int status = 0;
  rusage usage{};
  ::wait4(id_, &status, 0, &usage);
  id_ = -1;
  cpu_seconds_ = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  fail(fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status))));
}

void ChildProcess::wait(const std::string& input) {
  pollfd files[] = {{in_.write.get(), POLLOUT, 0},
                    {out_.read.get(), POLLIN, 0},
                    {error_.read.get(), POLLIN, 0}};  // closed ones are -1: poll skips them
  require_time();
  const bool open = out_.read.open() || error_.read.open();
  const int milliseconds = open ? kOpenPollMilliseconds : kClosedPollMilliseconds;
  if (::poll(files, 3, milliseconds) < 0 && errno == EINTR) fail("was interrupted");
  if (files[0].revents != 0) feed(input);
  if (files[1].revents != 0) take(out_.read, output_);
  if (files[2].revents != 0) take(error_.read, errors_);
}

void ChildProcess::feed(const std::string& input) {
  const ssize_t n = ::write(in_.write.get(), input.data() + fed_, input.size() - fed_);
  if (n > 0) fed_ += static_cast<size_t>(n);
  const bool refused = n < 0 && errno != EAGAIN;  // it need not read all of its input
  if (refused || fed_ == input.size()) in_.write.close();
}

// Returns whether there was something to read.
bool ChildProcess::take(Descriptor& from, std::string& into) {
  char buffer[64 * 1024];
  const ssize_t n = from.open() ? ::read(from.get(), buffer, sizeof buffer) : 0;
  if (n == 0 || (n < 0 && errno != EAGAIN)) from.close();
  if (n <= 0) return false;
  into.append(buffer, static_cast<size_t>(n));
  if (output_.size() > options_.most_output_bytes) {
    fail(fmt::format("wrote more than {} MiB", options_.most_output_bytes >> 20));
  }
  if (errors_.size() > 2 * kKeptErrorBytes) errors_.erase(0, errors_.size() - kKeptErrorBytes);
  return true;
}

std::string ChildProcess::last_words() const {
  const size_t end = errors_.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "";
  const size_t start = errors_.find_last_of("\r\n", end) + 1;  // npos + 1 is 0
  return printable(errors_.substr(start, end + 1 - start));
}

void ChildProcess::fail(const std::string& what) const {
  throw UserError(program_message(options_.name, what, last_words()));
}

void ChildProcess::require_time() const {
  if (!options_.deadline.passed()) return;
  throw DidNotEnd(program_message(options_.name, options_.deadline.text(), last_words()));
}

}  // namespace cpbench
