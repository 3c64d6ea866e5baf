// The largest problem that is accepted. Nothing that exists comes near, and with these bounds the
// number of (query, key) pairs of all heads, and the bytes of all tensors on all ranks, fit 64
// bits.
#pragma once

#include <cstdint>

namespace cpbench {

inline constexpr int64_t kMaxTokens = int64_t{1} << 32;  // of a batch
inline constexpr int64_t kMaxRanks = 65'536;             // nodes times GPUs per node
inline constexpr int64_t kMaxHeads = 16'384;             // query heads
inline constexpr int64_t kMaxHeadDim = 16'384;
inline constexpr int64_t kMaxLayerSize = int64_t{1} << 24;  // hidden_size and ffn_size
inline constexpr double kMaxPairs = 0x1p62;                 // tokens squared times query heads
inline constexpr double kMaxElements = 0x1p56;  // tokens times ranks times elements of O and Q

// How many steps of a pass may be without an operation, so that work per step is in proportion to
// the plan.
inline constexpr int64_t kMaxIdleSteps = 1'024;

}  // namespace cpbench
