// The largest problem that is accepted. Nothing that exists comes near, and with these bounds the
// number of (query, key) pairs of all heads, and the bytes of all tensors on all ranks, fit 64
// bits.
#pragma once

#include <cstdint>

namespace cpbench {

inline constexpr int64_t kMaxTokens = int64_t{1} << 31;  // of a batch
inline constexpr int64_t kMaxAncestors = 256;            // of a document
inline constexpr int64_t kMaxRanks = 65'536;             // nodes times GPUs per node
inline constexpr int64_t kMaxHeads = 16'384;             // query heads
inline constexpr int64_t kMaxHeadDim = 16'384;
inline constexpr int64_t kMaxLayerSize = int64_t{1} << 24;  // hidden_size and ffn_size
// Query heads times the sum over documents of their length times the tokens of the document and its
// ancestors; with mask causal, times the square of the tokens of the batch.
inline constexpr double kMaxPairs = 0x1p62;
inline constexpr double kMaxElements = 0x1p58;  // tokens times ranks times elements of O and Q

// How many steps of a pass may be without an operation, so that work per step is in proportion to
// the plan.
inline constexpr int64_t kMaxIdleSteps = 1'024;

}  // namespace cpbench
