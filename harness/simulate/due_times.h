// The times at which things are due: each id has one time, which may change. The first is the
// earliest, and among equal times the one with the smallest id. It is a heap that knows the place
// of each id; each entry has four below it, which lie together.
//
//   DueTimes due;
//   due.set(7, 2.5);
//   due.set(3, 1.0);
//   due.set(7, 0.5);          // changes its time
//   due.first_id() == 7;  due.remove_first();
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace cpbench {

class DueTimes {
 public:
  // `id` is small: it indexes a table.
  void set(int32_t id, double seconds);
  int32_t first_id() const { return heap_.front().id; }
  double first_seconds() const {  // infinity if nothing is due
    return heap_.empty() ? std::numeric_limits<double>::infinity() : heap_.front().seconds;
  }
  void remove_first();

 private:
  struct Entry {
    double seconds;
    int32_t id;
    bool operator<(const Entry& other) const {
      return seconds != other.seconds ? seconds < other.seconds : id < other.id;
    }
  };
  static constexpr int32_t kAbsent = -1;
  static constexpr size_t kBelow = 4;  // entries below each entry

  void put(size_t place, const Entry& entry);
  void rise(size_t place, const Entry& entry);
  void sink(size_t place, const Entry& entry);

  std::vector<Entry> heap_;
  std::vector<int32_t> place_;  // by id, in heap_
};

}  // namespace cpbench
