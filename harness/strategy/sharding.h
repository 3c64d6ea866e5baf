// The usual ways to cut a pack over ranks. Each function returns one token set per rank, in normal
// form; together the sets are a partition of [0, T). Lengths need not be divisible: no token is
// padded or dropped.
//
//   contiguous_shards(5, 2)   // {[0, 3)}, {[3, 5)}
//   head_tail_shards(8, 2)    // {[0, 2), [6, 8)}, {[2, 6)}
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

// Rank i owns the i-th of N contiguous, nearly equal parts. The first T mod N parts are one token
// longer.
std::vector<Ranges> contiguous_shards(int64_t tokens, int32_t ranks);

// The pack is cut into 2N contiguous, nearly equal chunks, and rank i owns chunks i and 2N-1-i
// (Llama 3, Per-Seq).
std::vector<Ranges> head_tail_shards(int64_t tokens, int32_t ranks);

// Every document is cut into `chunks_per_rank` * N chunks of floor(length / chunks) tokens. The
// remaining tokens go one at a time to all chunks in turn, by a counter that continues from
// document to document (WLB-LLM's rule), so that token counts stay nearly equal. With 2 chunks per
// rank, rank i owns chunks i and 2N-1-i of each document (zigzag, Per-Doc); with 1, it owns chunk
// i.
std::vector<Ranges> per_document_shards(const Batch& batch, int32_t ranks, int32_t chunks_per_rank);

// For batches with cached tokens. The new tokens of each document are cut into 2N chunks, of which
// rank i owns i and 2N-1-i, and its cached tokens into N chunks, of which rank i owns the i-th.
// Remainders go round as in per_document_shards, with separate counters for new and cached tokens.
std::vector<Ranges> new_and_cached_shards(const Batch& batch, int32_t ranks);

}  // namespace cpbench
