// Deterministic random batches for the tests and benchmarks of strategies.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench::flashcp {

// splitmix64, which gives the same numbers on every platform.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  int64_t between(int64_t least, int64_t most) {  // both included
    return least + static_cast<int64_t>(next() % static_cast<uint64_t>(most - least + 1));
  }
  double unit() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }  // in (0, 1)

 private:
  uint64_t state_;
};

// Draws documents until the pack is full; the last one is cut to fit.
template <typename Draw>
Batch fill_pack(int64_t tokens, Draw draw) {
  Batch batch;
  for (int64_t left = tokens; left > 0;) {
    const int64_t length = std::clamp<int64_t>(draw(), 1, left);
    batch.document_lengths.push_back(length);
    left -= length;
  }
  return batch;
}

// Log-logistic lengths with the given median: many short documents and a heavy tail. A shape below
// 1 has no mean. Median 272 and shape 1.3 are close to the Pile, 3227 and 1.5 to WLB-LLM.
inline Batch heavy_tailed_pack(int64_t tokens, double median, double shape, uint64_t seed) {
  Random random(seed);
  return fill_pack(tokens, [&] {
    const double u = random.unit();
    return static_cast<int64_t>(std::min(1e12, median * std::pow(u / (1 - u), 1 / shape)));
  });
}
inline Batch pile_like_pack(int64_t tokens, uint64_t seed) {
  return heavy_tailed_pack(tokens, 272, 1.3, seed);
}
inline Batch wlb_like_pack(int64_t tokens, uint64_t seed) {
  return heavy_tailed_pack(tokens, 3227, 1.5, seed);
}

// Any kind of batch: one-token documents, equal documents, a long one among short ones, every mask.
inline Batch random_batch(Random& random, int64_t max_documents, int64_t max_tokens) {
  Batch batch;
  const int64_t documents = random.between(1, max_documents);
  const int64_t longest = random.between(1, max_tokens);
  for (int64_t i = 0; i < documents; ++i) {
    const bool tiny = random.between(0, 3) == 0;
    batch.document_lengths.push_back(tiny ? 1 : random.between(1, longest));
  }
  constexpr Mask masks[] = {Mask::document_causal, Mask::document_causal, Mask::causal,
                            Mask::document_full, Mask::sliding_window};
  batch.mask = masks[random.between(0, 4)];
  if (batch.mask == Mask::sliding_window) batch.window = random.between(1, longest + 2);
  return batch;
}

}  // namespace cpbench::flashcp
