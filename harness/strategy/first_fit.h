// First fit: the first of many bins that has enough room for an item, found in logarithmic time.
//
//   FirstFit bins(2, 8);
//   bins.take(5)   // 0
//   bins.take(4)   // 1: bin 0 has only 3 left
//   bins.take(3)   // 0
//   bins.take(5)   // -1: no bin has room
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace cpbench {

class FirstFit {
 public:
  FirstFit(size_t bins, int64_t capacity) : leaves_(std::bit_ceil(bins)), room_(2 * leaves_, -1) {
    std::fill_n(room_.begin() + static_cast<int64_t>(leaves_), bins, capacity);
    for (size_t i = leaves_ - 1; i > 0; --i) room_[i] = std::max(room_[2 * i], room_[2 * i + 1]);
  }

  // Takes `size` from the first bin that has that much room. Returns its index, or -1.
  int32_t take(int64_t size) {
    if (room_[1] < size) return -1;
    size_t node = 1;
    while (node < leaves_) node = 2 * node + (room_[2 * node] < size);
    const auto bin = static_cast<int32_t>(node - leaves_);
    room_[node] -= size;
    while (node /= 2) room_[node] = std::max(room_[2 * node], room_[2 * node + 1]);
    return bin;
  }

 private:
  size_t leaves_;
  std::vector<int64_t> room_;  // a binary tree: each inner node has the most room below it
};

}  // namespace cpbench
