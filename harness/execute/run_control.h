// Keeps the ranks of one run together: where each is, a barrier that can be broken, and a watchdog.
//
// A rank that fails, or no progress of any rank for the timeout, ends the run: whatever ranks wait
// for is closed, the barrier is broken, and every rank that waits throws. (A kernel on a CPU that
// never returns cannot be ended from outside.)
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/execute/transport.h"

namespace cpbench {

inline constexpr int32_t kEveryRank = -2;

// Is told of each operation that a rank begins. `waiting_for`: the rank whose message it needs, -1,
// or kEveryRank for a collective.
class RankPlaces {
 public:
  virtual ~RankPlaces() = default;
  virtual void at(int32_t rank, int32_t pass, int32_t step, int32_t waiting_for) = 0;
};

// "rank 3, forward step 2"
std::string place_text(const std::string& rank, int32_t pass, int32_t step);
// "no progress for 120 s, waiting for <a message from rank 2>"; or for nothing: ""
std::string stall_text(double timeout_seconds, const std::string& waiting_for);

class RunControl : public RankPlaces {
 public:
  // Of ranks [first_rank, first_rank + ranks). `close` makes those throw that wait for a message;
  // called from any thread, maybe twice.
  RunControl(int32_t first_rank, int32_t ranks, std::function<void()> close, double timeout_seconds)
      : first_rank_(first_rank),
        places_(ranks),
        close_(std::move(close)),
        timeout_seconds_(timeout_seconds) {}

  void at(int32_t rank, int32_t pass, int32_t step, int32_t waiting_for) override {
    Place& place = places_[rank - first_rank_];
    place.pass.store(pass, std::memory_order_relaxed);
    place.step.store(step, std::memory_order_relaxed);
    place.waiting_for.store(waiting_for, std::memory_order_relaxed);
    place.progress.fetch_add(1, std::memory_order_relaxed);
  }
  // Waits for all ranks; throws TransportClosed if the run has ended.
  void barrier();
  void fail(int32_t rank, const std::string& reason);  // the first reason counts
  void leave();                                        // the rank's thread is done

  // Called by the thread that started the ranks: returns when all have left. `look` is called
  // several times per timeout.
  void watch(const std::function<void()>& look = nullptr);
  std::optional<std::string> failure();  // "rank 3, forward step 2: <reason>"

 private:
  struct alignas(64) Place {  // a cache line each
    std::atomic<int32_t> pass{0}, step{0}, waiting_for{-1};
    std::atomic<int64_t> progress{0};
  };
  int64_t progress() const;
  void time_out();
  void end(const std::string& reason);

  int32_t first_rank_;
  std::vector<Place> places_;
  std::function<void()> close_;
  double timeout_seconds_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t waiting_ = 0;
  int64_t generation_ = 0;
  size_t gone_ = 0;
  std::optional<std::string> failure_;
};

}  // namespace cpbench
