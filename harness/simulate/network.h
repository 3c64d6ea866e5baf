// What the engine asks of a network: it is told which messages begin, and says when they arrive.
//
//   network.start(7, from, to, bytes, now);
//   now = network.next_seconds(due);                 // `due`: when the caller has something to do
//   for (int32_t id : network.advance(now)) ...      // arrived by then
//
// `ports` (ports.h) is built in; `simgrid` (simgrid/) is a program of its own.
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench {

class Network {
 public:
  virtual ~Network() = default;

  // `id` must not be in flight, and is small: it may index a table. `now` is what next_seconds
  // last said, or 0.
  virtual void start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) = 0;
  // When something may have arrived, but at most `due`. Infinity: nothing is in flight, nor due.
  virtual double next_seconds(double due) = 0;
  // Ascending; valid until the next call. `seconds` is what next_seconds just said.
  virtual const std::vector<int32_t>& advance(double seconds) = 0;
};

}  // namespace cpbench
