// Deterministic batches for the tests and benchmarks of strategies that form groups.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "harness/plan/test_problems.h"
#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::flexcp {

using flashcp::Random;

// The stress workload of the paper: short sequences, and in every other batch one of 128K tokens.
inline Batch burst_batch(int32_t ranks, int64_t tokens_per_rank, uint64_t seed) {
  Random random(seed);
  Batch batch;
  int64_t left = ranks * tokens_per_rank;
  if (random.between(0, 1) == 1 && left > 131072) {
    batch.document_lengths.push_back(131072);
    left -= 131072;
  }
  while (left > 0) {
    const int64_t length = std::min(left, random.between(512, 4096));
    batch.document_lengths.push_back(length);
    left -= length;
  }
  return batch;
}

// A Llama-like layer on nodes of 8 GPUs, or on one node if 8 does not divide the ranks.
inline Problem layer_problem(Batch batch, int32_t ranks) {
  const AttentionShape shape{.query_heads = 32,
                             .kv_heads = 8,
                             .head_dim = 128,
                             .value_head_dim = 128,
                             .dtype = Dtype::bfloat16,
                             .hidden_size = 4096,
                             .ffn_size = 14336};
  const int32_t gpus = ranks % 8 == 0 ? 8 : ranks;
  return problem_of(std::move(batch), {ranks / gpus, gpus}, shape);
}

inline Loads loads_of(const Problem& problem) {
  return cpbench::loads_of(sequences_of(problem.batch), GroupCost(problem));
}

}  // namespace cpbench::flexcp
