// Runs the ranks of one process as threads: it knows where each rank is, offers a barrier that can
// be broken, and ends the run when the ranks make no progress.
//
//   RunControl control(0, ranks, [&] { transport.close(); }, timeout_seconds);
//   control.run_ranks([&](int32_t rank) {
//     control.barrier();
//     control.operation_started(rank, 0, step, peer);   // before each operation
//     ...
//   });
//
// A run ends when a rank throws, or when no rank makes progress for the timeout. The transport is
// then closed and the barrier broken, so every rank that waits throws. (A kernel on a CPU that
// never returns cannot be ended from outside.)
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/transport.h"

namespace cpbench {

inline constexpr int32_t kEveryRank = -2;

// Receives a call for each operation that a rank begins. `waiting_for` is the rank whose message
// the operation needs, -1 if it needs none, or kEveryRank for a collective.
class ProgressListener {
 public:
  virtual ~ProgressListener() = default;
  virtual void operation_started(int32_t rank, int32_t pass, int32_t step, int32_t waiting_for) = 0;
};

// "rank 3, forward step 2"
std::string step_text(const std::string& rank, int32_t pass, int32_t step);
// "no progress for 120 s, waiting for <a message from rank 2>"; `waiting_for` may be empty.
std::string no_progress_text(double timeout_seconds, const std::string& waiting_for);

// No rank made progress for the timeout. Another process's failure may be the cause.
class NoProgress : public ExecutionFailure {
 public:
  using ExecutionFailure::ExecutionFailure;
};

class RunControl : public ProgressListener {
 public:
  // Controls ranks [first_rank, first_rank + ranks). `close` must make the ranks throw that wait
  // for a message; it is called from any thread, possibly more than once.
  RunControl(int32_t first_rank, int32_t ranks, std::function<void()> close, double timeout_seconds)
      : first_rank_(first_rank),
        progress_(ranks),
        close_(std::move(close)),
        timeout_seconds_(timeout_seconds) {}

  // Calls work(rank) on a thread per rank and returns when all are done. It may be called again if
  // it did not throw. `poll` is called on this thread several times per timeout. Rethrows what
  // `poll` threw first, otherwise throws bad_alloc if a rank ran out of memory, and NoProgress or
  // ExecutionFailure ("rank 3, forward step 2: <reason>") if the run ended for another reason.
  void run_ranks(const std::function<void(int32_t rank)>& work,
                 const std::function<void()>& poll = nullptr);

  // The following are called by the ranks.
  void operation_started(int32_t rank, int32_t pass, int32_t step, int32_t waiting_for) override {
    Progress& progress = progress_[rank - first_rank_];
    progress.pass.store(pass, std::memory_order_relaxed);
    progress.step.store(step, std::memory_order_relaxed);
    progress.waiting_for.store(waiting_for, std::memory_order_relaxed);
    progress.operations.fetch_add(1, std::memory_order_relaxed);
  }
  // Waits for all ranks; throws TransportClosed if the run has ended.
  void barrier();
  // Calls `work` and ends the run if it throws.
  void guard(int32_t rank, const std::function<void()>& work);

 private:
  struct alignas(64) Progress {  // a cache line each
    std::atomic<int32_t> pass{0}, step{0}, waiting_for{-1};
    std::atomic<int64_t> operations{0};
  };
  int64_t operations() const;
  void watch(const std::function<void()>& poll);
  void time_out();
  std::string where(int32_t rank) const;  // "rank 3, forward step 2: "
  void end(std::exception_ptr reason);

  int32_t first_rank_;
  std::vector<Progress> progress_;
  std::function<void()> close_;
  double timeout_seconds_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t waiting_ = 0;  // ranks in the barrier
  int64_t generation_ = 0;
  size_t finished_ = 0;         // ranks whose work is done
  std::exception_ptr failure_;  // the first reason
  std::atomic<bool> out_of_memory_ = false;
  std::exception_ptr poll_error_;
};

}  // namespace cpbench
