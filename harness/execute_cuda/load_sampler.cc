#include "harness/execute_cuda/load_sampler.h"

#include <algorithm>
#include <chrono>

namespace cpbench {
namespace {

constexpr std::chrono::milliseconds kPeriod{10};  // NVML's own is longer on some GPUs

}  // namespace

LoadSampler::LoadSampler(const Clocks& clocks, std::set<std::string> buses)
    : clocks_(clocks), buses_(std::move(buses)) {
  if (clocks_.known()) thread_ = std::thread([this] { work(); });
}

void LoadSampler::begin() {
  {
    const std::lock_guard lock(mutex_);
    ++ranks_;
    begun_ = true;
  }
  changed_.notify_all();
}

void LoadSampler::end() {
  const std::lock_guard lock(mutex_);
  --ranks_;
}

void LoadSampler::sample() {
  for (const std::string& bus : buses_) {
    const double watts = clocks_.watts(bus);
    ++load_.samples;
    load_.watts += watts;
    load_.most_watts = std::max(load_.most_watts, watts);
    load_.slowdowns |= clocks_.slowdowns(bus);
  }
}

void LoadSampler::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return over_ || begun_ || ranks_ > 0; });
    if (over_ && !begun_) return;
    begun_ = false;
    lock.unlock();
    sample();
    lock.lock();
    changed_.wait_for(lock, kPeriod, [&] { return over_; });
  }
}

void LoadSampler::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

GpuLoad LoadSampler::load() {
  stop();
  return load_;
}

}  // namespace cpbench
