// Orders in which greedy strategies take their items.
//
//   largest_first(3, [&](int32_t i) { return lengths[i]; })   // lengths 4, 9, 4: {1, 0, 2}
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace cpbench {

// The indices 0..count-1 by descending key; equal keys stay in the order of their index.
template <typename Key>
std::vector<int32_t> largest_first(size_t count, const Key& key) {
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return key(a) > key(b); });
  return order;
}

}  // namespace cpbench
