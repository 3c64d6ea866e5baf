// The problems that every strategy must plan or refuse: small, and chosen to break planners.
#pragma once

#include <cstdint>
#include <random>
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
// Trees of documents, the rules that a document may have, documents without tokens and pad slots.
std::vector<NamedProblem> forest_problems();
// What users reported of packs, masks and heads that frameworks got wrong.
std::vector<NamedProblem> reported_problems();
// A random number below n. Not a distribution of the standard library, as these differ.
int64_t below(std::mt19937_64& random, int64_t n);
// A random batch of at most `tokens` tokens, without cached ones, on up to 3 nodes and about
// `ranks` ranks at most.
Problem random_problem(std::mt19937_64& random, int64_t tokens, int32_t ranks);
// Gives the documents of a batch without cached tokens random parents and rules, and maybe adds one
// without tokens.
void plant(std::mt19937_64& random, Batch& batch);
// Such problems on up to 6 ranks, from a fixed seed. A third of them are forests, and a quarter has
// cached tokens.
std::vector<NamedProblem> random_problems(int count, int64_t tokens, uint64_t seed);

}  // namespace cpbench::contract
