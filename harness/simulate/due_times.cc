#include "harness/simulate/due_times.h"

#include <algorithm>

namespace cpbench {

void DueTimes::set(int32_t id, double seconds) {
  if (static_cast<size_t>(id) >= place_.size()) place_.resize(id + 1, kAbsent);
  const Entry entry{seconds, id};
  if (place_[id] == kAbsent) {
    heap_.push_back(entry);
    rise(heap_.size() - 1, entry);
  } else if (entry < heap_[place_[id]]) {
    rise(place_[id], entry);
  } else {
    sink(place_[id], entry);
  }
}

void DueTimes::remove_first() {
  place_[heap_.front().id] = kAbsent;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sink(0, last);
}

void DueTimes::put(size_t place, const Entry& entry) {
  heap_[place] = entry;
  place_[entry.id] = static_cast<int32_t>(place);
}

void DueTimes::rise(size_t place, const Entry& entry) {
  while (place > 0 && entry < heap_[(place - 1) / kBelow]) {
    put(place, heap_[(place - 1) / kBelow]);
    place = (place - 1) / kBelow;
  }
  put(place, entry);
}

void DueTimes::sink(size_t place, const Entry& entry) {
  while (true) {
    const size_t first = kBelow * place + 1;
    if (first >= heap_.size()) break;
    const size_t end = std::min(first + kBelow, heap_.size());
    const size_t child =
        std::min_element(heap_.begin() + first, heap_.begin() + end) - heap_.begin();
    if (!(heap_[child] < entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

}  // namespace cpbench
