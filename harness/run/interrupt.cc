// The handler only writes a byte into a pipe, which is all that a handler may safely do; a thread
// reads it, waits for the file that is being written, and ends the process. Handlers, unlike a
// blocked signal mask, are not inherited by external planners.
#include "harness/run/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

#include "harness/run/exit_codes.h"

namespace cpbench {

namespace {

constexpr std::chrono::milliseconds kPlannerGrace{100};
constexpr char kSignalled = 's';
constexpr char kOver = 'o';
int pipe_ends[2] = {-1, -1};

void on_signal(int) {
  const ssize_t ignored = write(pipe_ends[1], &kSignalled, 1);
  (void)ignored;
}

}  // namespace

Interrupt::Interrupt(std::function<std::string()> message) : message_(std::move(message)) {
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return;  // Ctrl-C then ends the process without a word
  watcher_ = std::thread([this] { watch(); });
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

Interrupt::~Interrupt() {
  if (!watcher_.joinable()) return;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  const ssize_t ignored = write(pipe_ends[1], &kOver, 1);
  (void)ignored;
  watcher_.join();
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

void Interrupt::watch() {
  char byte = 0;
  while (read(pipe_ends[0], &byte, 1) != 1) {
  }
  if (byte != kSignalled) return;
  ending_ = true;
  const std::unique_lock guard(writing_);
  // At once: a launcher that ends its processes soon kills those that are still there.
  std::fprintf(stderr, "\ncpbench: interrupted: %s\n", message_().c_str());
  std::fflush(stderr);
  // An external planner has its own process group: the signal ends the poll of the thread that
  // waits for it, and that thread kills it.
  std::this_thread::sleep_for(kPlannerGrace);
  _exit(kExitInterrupted);  // ranks are threads in the middle of their work: nothing to wait for
}

}  // namespace cpbench
