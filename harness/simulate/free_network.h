// The network in which messages arrive as soon as they start.
#pragma once

#include <algorithm>
#include <utility>

#include "harness/simulate/network.h"

namespace cpbench {

class FreeNetwork : public Network {
 public:
  void start(int32_t id, int32_t, int32_t, int64_t, double now) override {
    started_.push_back(id);
    now_ = now;
  }
  double next_seconds(double due) override { return started_.empty() ? due : now_; }
  const std::vector<int32_t>& advance(double) override {
    arrived_.clear();
    std::swap(arrived_, started_);
    std::sort(arrived_.begin(), arrived_.end());
    return arrived_;
  }

 private:
  std::vector<int32_t> started_, arrived_;
  double now_ = 0;  // when the last message started
};

}  // namespace cpbench
