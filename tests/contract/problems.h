// The problems that every strategy must plan or refuse: small, and chosen to break planners.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench::contract {

struct NamedProblem {
  std::string name;  // for messages
  Problem problem;
};

// Batches of tens of tokens x all masks x clusters of 1 to 4 nodes and 1 to 8 ranks, in float64.
// Multi-head and grouped-query attention take turns.
std::vector<NamedProblem> adversarial_problems();
// Batches with cached tokens, which have keys but no queries, on fewer clusters.
std::vector<NamedProblem> cached_problems();
// Random batches of at most `tokens` tokens on up to 3 nodes, from a fixed seed.
std::vector<NamedProblem> random_problems(int count, int64_t tokens, uint64_t seed);

}  // namespace cpbench::contract
