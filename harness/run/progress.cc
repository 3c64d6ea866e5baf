#include "harness/run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace cpbench {

namespace {

constexpr std::chrono::seconds kBetweenLines{5};  // where they are not rewritten
constexpr const char* kClearLine = "\r\033[K";
constexpr const char* kBold = "\033[1m";
constexpr const char* kPlain = "\033[0m";

bool dumb_terminal() {
  const char* term = std::getenv("TERM");
  return term && std::string(term) == "dumb";
}

}  // namespace

std::string about(double seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 100) return fmt::format("about {:.0f} s", seconds);
  return fmt::format("about {:.0f} min", seconds / 60);
}

Progress::Progress(size_t total, double work, std::string label)
    : label_(std::move(label)),
      total_(total),
      work_(work),
      terminal_(isatty(STDERR_FILENO) && !dumb_terminal()),
      colour_(terminal_ && !std::getenv("NO_COLOR")),
      begin_(std::chrono::steady_clock::now()),
      next_line_(begin_) {}

void Progress::start(const std::string& run) {
  ++started_;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ && now < next_line_) return;
  next_line_ = now + kBetweenLines;
  const std::string count =
      fmt::format("[{:{}}/{}]", started_, std::to_string(total_).size(), total_);
  const std::string line =
      label_ + (colour_ ? kBold + count + kPlain : count) + " " + run + time_left();
  fmt::print(stderr, "{}{}{}", terminal_ ? kClearLine : "", line, terminal_ ? "" : "\n");
  std::fflush(stderr);
}

void Progress::done(double work) { work_done_ += work; }

void Progress::say(const std::string& line) {
  fmt::print(stderr, "{}{}\n", terminal_ ? kClearLine : "", line);
}

void Progress::finish() {
  if (terminal_) fmt::print(stderr, "{}", kClearLine);
  std::fflush(stderr);
}

std::string Progress::time_left() const {
  if (work_done_ <= 0) return "";
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
  return ", " + about(elapsed.count() * (work_ - work_done_) / work_done_) + " left";
}

}  // namespace cpbench
