// Ctrl-C (and SIGTERM): the process ends at once, but never while a result file is being written.
//
//   Interrupt interrupt([&] { return "2 of 9 runs are finished; resume with: cpbench run quick";
//   }); { auto guard = interrupt.hold(); write_result(...); }   // a signal waits for this
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace cpbench {

// One at a time. On a signal the message goes to stderr and the process exits with 130.
class Interrupt {
 public:
  explicit Interrupt(std::function<std::string()> message);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Held while a file is written and while what `message` reads is changed.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(writing_); }

 private:
  void watch();
  std::function<std::string()> message_;
  std::mutex writing_;
  std::thread watcher_;
};

}  // namespace cpbench
