// A map from the sets of a pool to values, for a caller that fills and empties it again and again:
// an array by set says where a value is, so nothing is hashed or allocated.
//
//   SetMap<int32_t> last_read(sets.count());
//   last_read[set] = 3;                                    // 0 before
//   if (const int32_t* step = last_read.find(set)) ...     // null if it was never asked for
//   for (const auto& [set, step] : last_read) ...          // in the order in which they were added
//   last_read.clear();                                     // in the time of what it held
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

template <typename Value>
class SetMap {
 public:
  explicit SetMap(int32_t sets) : place_(sets, kNowhere) {}

  Value& operator[](SetId set) {
    if (place_[set] == kNowhere) {
      place_[set] = static_cast<int32_t>(items_.size());
      items_.emplace_back(set, Value{});
    }
    return items_[place_[set]].second;
  }
  const Value* find(SetId set) const {
    return place_[set] == kNowhere ? nullptr : &items_[place_[set]].second;
  }
  void clear() {
    for (const auto& [set, value] : items_) place_[set] = kNowhere;
    items_.clear();
  }

  size_t size() const { return items_.size(); }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  static constexpr int32_t kNowhere = -1;
  std::vector<int32_t> place_;  // by set, in items_
  std::vector<std::pair<SetId, Value>> items_;
};

}  // namespace cpbench
