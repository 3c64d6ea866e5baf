// What every kind of workload provides: a function from a seed to a stream of lengths.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "workloads/random.h"
#include "workloads/workload.h"

namespace cpbench {

using StreamFactory = std::function<std::unique_ptr<LengthStream>(uint64_t seed)>;

// In tokens. Squares of lengths must fit 64-bit integers.
constexpr int64_t kLongestDocument = int64_t{1} << 31;

// Independent lengths: `draw` makes one from random numbers.
class IndependentStream : public LengthStream {
 public:
  using Draw = std::function<int64_t(Random&)>;
  IndependentStream(uint64_t seed, Draw draw) : random_(seed), draw_(std::move(draw)) {}
  int64_t next() override { return draw_(random_); }

 private:
  Random random_;
  Draw draw_;
};

// The same lengths in the same order, again and again; there must be one.
class RepeatedStream : public LengthStream {
 public:
  explicit RepeatedStream(std::vector<int64_t> lengths) : lengths_(std::move(lengths)) {}
  int64_t next() override { return lengths_[next_++ % lengths_.size()]; }

 private:
  std::vector<int64_t> lengths_;
  size_t next_ = 0;
};

inline StreamFactory independent(IndependentStream::Draw draw) {
  return [draw](uint64_t seed) { return std::make_unique<IndependentStream>(seed, draw); };
}

}  // namespace cpbench
