#include "workloads/random.h"

#include <bit>

namespace cpbench {

uint64_t SplitMix64::next() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Random::Random(uint64_t seed) {
  SplitMix64 fill(seed);
  for (uint64_t& word : state_) word = fill.next();
}

uint64_t Random::next() {
  uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() {
  // Exact: the 52-bit integer and its half fit a double's 53 bits.
  return (static_cast<double>(next() >> 12) + 0.5) * 0x1p-52;
}

int64_t Random::below(int64_t bound) {
  return static_cast<int64_t>(uniform() * static_cast<double>(bound));
}

}  // namespace cpbench
