// The problems that every strategy is held against: small, and chosen to break planners.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench::contract {

struct NamedProblem {
  std::string name;
  Problem problem;
};

Problem make_problem(std::vector<int64_t> lengths, int32_t ranks, int32_t query_heads = 4,
                     int32_t kv_heads = 2, Mask mask = Mask::document_causal, int64_t window = 0);

// Adversarial batches x rank counts; lengths are tens of tokens.
std::vector<NamedProblem> adversarial_problems();
// Random batches from a fixed seed, at most `tokens` tokens, all masks.
std::vector<NamedProblem> random_problems(int count, int64_t tokens, uint64_t seed);

}  // namespace cpbench::contract
