// The interface between the engine and a network: the engine says which messages begin, and the
// network says when they arrive.
//
//   network.start(7, from, to, bytes, now);
//   now = network.next_seconds(due);                 // the engine has something to do at `due`
//   for (int32_t id : network.advance(now)) ...      // these messages have arrived
//
// `ports` (ports.h) is built in; `simgrid` (simgrid/) runs in another program.
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench {

class Network {
 public:
  virtual ~Network() = default;

  // `id` must not be in flight. It should be small, because it is an index of a table. `now` is the
  // last result of next_seconds, or 0.
  virtual void start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) = 0;
  // The time at which something may have arrived, but at most `due`. Infinity if nothing is in
  // flight or due.
  virtual double next_seconds(double due) = 0;
  // Ids in ascending order, valid until the next call. `seconds` is the last result of
  // next_seconds.
  virtual const std::vector<int32_t>& advance(double seconds) = 0;
};

}  // namespace cpbench
