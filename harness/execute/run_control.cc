#include "harness/execute/run_control.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

std::string rank_text(int32_t rank) { return "rank " + std::to_string(rank); }

std::string awaited_text(int32_t waiting_for) {
  if (waiting_for == kEveryRank) return "all ranks in a collective";
  return waiting_for < 0 ? "" : "a message from " + rank_text(waiting_for);
}

}  // namespace

std::string place_text(const std::string& rank, int32_t pass, int32_t step) {
  return rank + ", " + (pass == 0 ? "forward" : "backward") + " step " + std::to_string(step);
}

std::string stall_text(double timeout_seconds, const std::string& waiting_for) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g s", timeout_seconds);
  std::string text = std::string("no progress for ") + seconds;
  if (!waiting_for.empty()) text += ", waiting for " + waiting_for;
  return text;
}

void RunControl::barrier() {
  std::unique_lock lock(mutex_);
  if (failure_) throw TransportClosed();
  const int64_t generation = generation_;
  if (++waiting_ == places_.size()) {
    waiting_ = 0;
    ++generation_;
    changed_.notify_all();
    return;
  }
  changed_.wait(lock, [&] { return failure_ || generation_ != generation; });
  if (generation_ == generation) throw TransportClosed();
}

void RunControl::end(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = reason;
  }
  changed_.notify_all();
  close_();
}

void RunControl::fail(int32_t rank, const std::string& reason) {
  const Place& place = places_[rank - first_rank_];
  end(place_text(rank_text(rank), place.pass, place.step) + ": " + reason);
}

void RunControl::leave() {
  {
    const std::lock_guard lock(mutex_);
    ++gone_;
  }
  changed_.notify_all();
}

int64_t RunControl::progress() const {
  int64_t sum = 0;
  for (const Place& place : places_) sum += place.progress.load(std::memory_order_relaxed);
  return sum;
}

// Names the rank that is least far: the others wait for it, directly or not.
void RunControl::time_out() {
  const auto last = std::ranges::min_element(places_, {}, [](const Place& place) {
    return place.progress.load(std::memory_order_relaxed);
  });
  const auto rank = first_rank_ + static_cast<int32_t>(last - places_.begin());
  fail(rank, stall_text(timeout_seconds_, awaited_text(last->waiting_for)));
}

void RunControl::watch(const std::function<void()>& look) {
  // Looks several times per timeout, so that a hang is seen at most a quarter late.
  const auto pause = std::chrono::duration<double>(std::clamp(timeout_seconds_ / 4, 0.001, 1.0));
  int64_t seen = -1;
  auto since = Clock::now();
  bool ended = false;
  std::unique_lock lock(mutex_);
  while (gone_ < places_.size()) {
    changed_.wait_for(lock, pause, [&] { return gone_ == places_.size(); });
    if (look) {
      lock.unlock();
      look();
      lock.lock();
    }
    if (ended || failure_ || gone_ == places_.size()) continue;
    const int64_t now = progress();
    if (now != seen) {
      seen = now;
      since = Clock::now();
    } else if (std::chrono::duration<double>(Clock::now() - since).count() > timeout_seconds_) {
      ended = true;
      lock.unlock();
      time_out();
      lock.lock();
    }
  }
}

std::optional<std::string> RunControl::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace cpbench
