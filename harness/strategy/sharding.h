// The ways the field cuts a pack over ranks. Each returns one normal-form token set per rank; the
// sets are a partition of [0, T). Lengths need not divide: no token is padded or dropped.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

// Rank i owns the i-th of N contiguous, nearly equal parts (the first T mod N are one longer).
std::vector<Ranges> contiguous_shards(int64_t tokens, int32_t ranks);

// The pack in 2N contiguous, nearly equal chunks; rank i owns chunks i and 2N-1-i (Llama 3,
// Per-Seq).
std::vector<Ranges> head_tail_shards(int64_t tokens, int32_t ranks);

// Every document in `chunks_per_rank` * N chunks of floor(length / chunks) tokens; what remains
// goes one token at a time round all chunks by a counter that runs on from document to document
// (WLB-LLM's rule), so that token counts stay nearly equal. With 2 chunks per rank, rank i owns
// chunks i and 2N-1-i of each document (zigzag, Per-Doc); with 1, chunk i.
std::vector<Ranges> per_document_shards(const Batch& batch, int32_t ranks, int32_t chunks_per_rank);

// For batches with cached tokens: of every document, the new tokens in 2N chunks of which rank i
// owns i and 2N-1-i, and the cached ones in N chunks of which rank i owns the i-th. Remainders go
// round as in per_document_shards, new and cached each by a counter of its own.
std::vector<Ranges> new_and_cached_shards(const Batch& batch, int32_t ranks);

}  // namespace cpbench
