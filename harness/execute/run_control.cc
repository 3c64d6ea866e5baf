#include "harness/execute/run_control.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <thread>

#include "harness/execute/execute.h"
#include "harness/plan/seconds_text.h"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

std::string rank_text(int32_t rank) { return "rank " + std::to_string(rank); }

std::string awaited_text(int32_t waiting_for) {
  if (waiting_for == kEveryRank) return "all ranks in a collective";
  return waiting_for < 0 ? "" : "a message from " + rank_text(waiting_for);
}

}  // namespace

std::string step_text(const std::string& rank, int32_t pass, int32_t step) {
  return rank + ", " + (pass == 0 ? "forward" : "backward") + " step " + std::to_string(step);
}

std::string no_progress_text(double timeout_seconds, const std::string& waiting_for) {
  return "no progress for " + seconds_text(timeout_seconds) +
         (waiting_for.empty() ? "" : ", waiting for " + waiting_for);
}

void RunControl::run_ranks(const std::function<void(int32_t rank)>& work,
                           const std::function<void()>& poll) {
  finished_ = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < progress_.size(); ++i) {
    threads.emplace_back([&, rank = first_rank_ + static_cast<int32_t>(i)] {
      guard(rank, [&] { work(rank); });
      {
        const std::lock_guard lock(mutex_);
        ++finished_;
      }
      changed_.notify_all();
    });
  }
  watch(poll);
  for (std::thread& thread : threads) thread.join();
  if (poll_error_) std::rethrow_exception(poll_error_);
  if (out_of_memory_) throw std::bad_alloc();
  if (failure_) std::rethrow_exception(failure_);
}

void RunControl::barrier() {
  std::unique_lock lock(mutex_);
  if (failure_) throw TransportClosed();
  const int64_t generation = generation_;
  if (++waiting_ == progress_.size()) {
    waiting_ = 0;
    ++generation_;
    changed_.notify_all();
    return;
  }
  changed_.wait(lock, [&] { return failure_ || generation_ != generation; });
  if (generation_ == generation) throw TransportClosed();
}

void RunControl::guard(int32_t rank, const std::function<void()>& work) {
  const auto fail = [&](const std::string& reason) {
    end(std::make_exception_ptr(ExecutionFailure(where(rank) + reason)));
  };
  try {
    work();
  } catch (const std::bad_alloc&) {
    out_of_memory_ = true;
    fail("out of memory");
  } catch (const std::exception& error) {
    fail(error.what());
  } catch (...) {
    fail("an unknown exception");
  }
}

void RunControl::end(std::exception_ptr reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(reason);
  }
  changed_.notify_all();
  close_();
}

std::string RunControl::where(int32_t rank) const {
  const Progress& progress = progress_[rank - first_rank_];
  return step_text(rank_text(rank), progress.pass, progress.step) + ": ";
}

int64_t RunControl::operations() const {
  int64_t sum = 0;
  for (const Progress& progress : progress_) {
    sum += progress.operations.load(std::memory_order_relaxed);
  }
  return sum;
}

// Names the rank that has made the least progress: the others wait for it, directly or indirectly.
void RunControl::time_out() {
  const auto last = std::ranges::min_element(progress_, {}, [](const Progress& progress) {
    return progress.operations.load(std::memory_order_relaxed);
  });
  const auto rank = first_rank_ + static_cast<int32_t>(last - progress_.begin());
  end(std::make_exception_ptr(NoProgress(
      where(rank) + no_progress_text(timeout_seconds_, awaited_text(last->waiting_for)))));
}

// Returns when all ranks have finished.
void RunControl::watch(const std::function<void()>& poll) {
  // Looks several times per timeout, so that a hang is seen at most a quarter late.
  const auto pause = std::chrono::duration<double>(std::clamp(timeout_seconds_ / 4, 0.001, 1.0));
  int64_t seen = -1;
  auto since = Clock::now();
  const auto all_finished = [&] { return finished_ == progress_.size(); };
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, pause, all_finished)) {
    const bool is_running = !failure_;
    lock.unlock();
    try {
      if (poll && !poll_error_) poll();
    } catch (...) {
      poll_error_ = std::current_exception();
      end(poll_error_);
    }
    if (const int64_t now = operations(); now != seen) {
      seen = now;
      since = Clock::now();
    } else if (is_running &&
               std::chrono::duration<double>(Clock::now() - since).count() > timeout_seconds_) {
      time_out();
    }
    lock.lock();
  }
}

}  // namespace cpbench
