// Successive halving (Jamieson, Talwalkar: Non-stochastic Best Arm Identification, AISTATS 2016),
// as plain functions of times.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cpbench {

inline constexpr int32_t kHalvingFactor = 4;

// Packs of each round: 1, 4, 16, ... and at last `packs`.
std::vector<int32_t> rounds_of(int32_t packs);

// What the rounds after this one cost, in runs on one pack, if this one has so many candidates, of
// which none fails.
double cost_after(size_t round, size_t candidates, int32_t packs);

// Which candidates go on: the first one, which is the strategy as it was given, and the fastest
// quarter (rounded up) of those that have a time.
std::vector<size_t> survivors(const std::vector<std::optional<double>>& seconds);

// The fastest candidate, or the first one if that is as fast within half a percent.
size_t winner(const std::vector<std::optional<double>>& seconds);

}  // namespace cpbench
