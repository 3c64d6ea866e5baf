#include "harness/simulate/due_times.h"

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
  while (place > 0 && entry < heap_[(place - 1) / 2]) {
    put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put(place, entry);
}

void DueTimes::sink(size_t place, const Entry& entry) {
  while (true) {
    size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

}  // namespace cpbench
