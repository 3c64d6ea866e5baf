// Random numbers that are the same on every platform: xoshiro256** (Blackman and Vigna 2018),
// seeded by SplitMix64. The engines of the standard library are portable, but its distributions are
// not. Here, every sample is an inverse distribution function (sampling.h) of uniform().
//
//   Random random(1);
//   double u = random.uniform();
#pragma once

#include <array>
#include <cstdint>

namespace cpbench {

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next();

 private:
  uint64_t state_;
};

class Random {
 public:
  explicit Random(uint64_t seed);
  explicit Random(const std::array<uint64_t, 4>& state) : state_(state) {}

  uint64_t next();
  // In (0, 1), without both ends: the midpoints of 2^52 equal intervals, so that no inverse
  // distribution function is evaluated at its infinite ends.
  double uniform();
  // In [0, bound), bound >= 1; the bias is below bound / 2^52.
  int64_t below(int64_t bound);

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace cpbench
