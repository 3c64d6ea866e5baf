// Ctrl-C (and SIGTERM): the process ends at once, but never while a result file is being written.
//
//   Interrupt interrupt([] { return "resume with: cpbench run quick"; });
//   const Interrupt::Message now(interrupt, [&] { return "2 of 9 runs are finished; ..."; });
//   { auto guard = interrupt.hold(); write_result(...); }   // a signal waits for this
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace cpbench {

// One at a time, and as early as possible. On a signal the message goes to stderr and the process
// exits with 130.
class Interrupt {
 public:
  explicit Interrupt(std::function<std::string()> message);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Held while a file is written and while what `message` reads is changed. After a signal it does
  // not return: threads that write file after file would otherwise keep the signal waiting.
  std::unique_lock<std::mutex> hold() {
    ending_.wait(true);
    return std::unique_lock(writing_);
  }

  // Another message, while it lives.
  class Message {
   public:
    Message(Interrupt& interrupt, std::function<std::string()> message)
        : interrupt_(interrupt), other_(std::move(message)) {
      swap();
    }
    ~Message() { swap(); }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

   private:
    void swap() {
      const auto guard = interrupt_.hold();
      std::swap(interrupt_.message_, other_);
    }
    Interrupt& interrupt_;
    std::function<std::string()> other_;
  };

 private:
  void watch();
  std::function<std::string()> message_;
  std::mutex writing_;
  std::atomic<bool> ending_ = false;
  std::thread watcher_;
};

}  // namespace cpbench
