// Ends the process if a call does not return in time, for library calls that cannot be given a
// timeout: MPI_Init, ncclCommInitRank.
//
//   const ExitOnTimeout timeout(60, "cpbench: error: MPI did not start within 60 s");
//   MPI_Init(...);   // the destructor cancels the timeout
#pragma once

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

namespace cpbench {

class ExitOnTimeout {
 public:
  // Prints `message` as one line on stderr and exits with code 1 when the time is over.
  ExitOnTimeout(double seconds, const std::string& message)
      : watchdog_([this, seconds, message] {
          std::unique_lock lock(mutex_);
          const std::chrono::duration<double> limit(seconds);
          if (cancelled_.wait_for(lock, limit, [this] { return is_cancelled_; })) return;
          std::fprintf(stderr, "%s\n", message.c_str());
          std::fflush(stderr);
          _exit(1);
        }) {}
  ~ExitOnTimeout() {
    {
      const std::lock_guard lock(mutex_);
      is_cancelled_ = true;
    }
    cancelled_.notify_all();
    watchdog_.join();
  }
  ExitOnTimeout(const ExitOnTimeout&) = delete;
  ExitOnTimeout& operator=(const ExitOnTimeout&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable cancelled_;
  bool is_cancelled_ = false;
  std::thread watchdog_;  // last: it uses the others
};

}  // namespace cpbench
