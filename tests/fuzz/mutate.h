// Mutated inputs that follow from a seed, the same on every platform: no compiler support is
// needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

// Input number `index` of a seed: one of `inputs` after one to eight random changes.
std::string fuzz_case(const std::vector<std::string>& inputs, uint64_t seed, int64_t index);

}  // namespace cpbench
