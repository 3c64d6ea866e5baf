// Samples power and slowdowns of GPUs in a thread of its own, while at least one rank is inside of
// [begin, end).
//
//   LoadSampler sampler(clocks, {"0000:01:00.0"});
//   sampler.begin();  ...  sampler.end();
//   sampler.load().mean_watts
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "harness/execute_cuda/clocks.h"

namespace cpbench {

// Of all GPUs and samples.
struct GpuLoad {
  int64_t samples = 0;  // 0: nothing is known
  double watts = 0;     // sum over the samples
  double most_watts = 0;
  uint64_t slowdowns = 0;  // that were seen at any time
};

class LoadSampler {
 public:
  LoadSampler(const Clocks& clocks, std::set<std::string> buses);
  ~LoadSampler() { stop(); }

  void begin();
  void end();
  GpuLoad load();  // ends the sampling

 private:
  void work();
  void sample();
  void stop();

  const Clocks& clocks_;
  std::set<std::string> buses_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int32_t ranks_ = 0;   // inside of [begin, end)
  bool begun_ = false;  // since the last sample
  bool over_ = false;
  GpuLoad load_;  // only of the thread, until it has ended
  std::thread thread_;
};

}  // namespace cpbench
