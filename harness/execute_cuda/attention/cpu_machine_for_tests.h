// A machine (steps.h) that runs bodies on the CPU, one thread after another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/execute_cuda/launch.h"

namespace cpbench {

template <typename T>
class CpuArray {
 public:
  explicit CpuArray(std::span<const T> values) : values_(values.begin(), values.end()) {}
  const T* data() const { return values_.data(); }
  size_t size() const { return values_.size(); }

 private:
  std::vector<T> values_;
};

class CpuMachine {
 public:
  template <typename T>
  using Array = CpuArray<T>;
  static constexpr int32_t kHeadLanes = 1;

  // Few threads, so that they stride, and the last one first, because the order must not matter.
  template <typename Body>
  void launch(const Body& body) {
    constexpr int64_t kThreads = 7;
    for (int64_t i = kThreads; i-- > 0;) body(Thread{.index = i, .count = kThreads});
  }
};

}  // namespace cpbench
