// How long a fused attention kernel takes, from its segments: no clock, no GPU.
//
// A call of variable length works through query tiles, head by head, on the SMs of one GPU; a tile
// walks the KV blocks from the first to the last key that one of its rows sees:
//
//   T = call + segment * segments + longest * (blocks of the longest walk)
//       + (query heads / SMs) * [sum over tiles (tile + rows * share of its rows in use
//                                                + block * KV blocks it walks)
//                                + sum over segments kv_block * KV blocks
//                                + empty_block * empty blocks]
//
// and never less than one tile's longest walk. Kernels of variable length launch a grid of segments
// x blocks of the longest segment (of queries forward, of keys backward); those beyond the end of
// their segment are the empty blocks.
//
//   const KernelModel& model = find_kernel("cudnn_h200");
//   AttentionShape shape{.query_heads = 64, .head_dim = 128, .value_head_dim = 128};
//   CallTime call(model, KernelPass::forward, shape, 64);
//   call.add({.q_tokens = 4096, .kv_tokens = 4096, .causal = true});
//   call.seconds()   // 468e-6; measured 465e-6
//
// A library on a CPU calls matrix products of the very rows and keys there are: there nothing is
// padded, and pairs * (share of a full tile times block) joins the sum over tiles.
//
// Times of GPUs are of bf16, whatever the shape's dtype. Head sizes other than the measured one
// scale all work by their width, which is an extrapolation.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench {

inline constexpr int32_t kTileTokens = 128;  // query rows of a tile, in all GPU kernels

// `q_tokens` consecutive queries over `kv_tokens` consecutive keys. Query i (from 0) sees
//   full    all of them
//   causal  the first kv_tokens - q_tokens + 1 + i, if any: aligned bottom right
//   band    those j with first <= j - i <= last; every query sees one
struct AttentionSegment {
  int64_t q_tokens = 0;
  int64_t kv_tokens = 0;
  bool causal = false;
  int64_t count = 1;  // as many equal segments
  bool band = false;
  int64_t first = 0;  // of a band
  int64_t last = 0;
};

enum class KernelPass : uint8_t { forward, backward };

// Where no measured call had empty blocks: what such a block occupies an SM for. An assumption: it
// reads its segment's bounds and ends, so it waits once for the L2, about 260 cycles on an H100 (as
// measured in arXiv 2402.13499) at 1.755 GHz. What replacing a block takes besides is not known. Of
// kernels of variable length whose grid covers the longest segment.
inline constexpr double kAssumedEmptyBlockUs = 0.15;

// All times in microseconds, none negative.
struct KernelConstants {
  double call_us = 0;                  // once per call
  double segment_us = 0;               // per segment, whatever its length and heads
  double longest_us = 0;               // per block of the longest walk: SMs idle at the end
  double tile_us = 0;                  // per query tile and head, on one SM, as all below
  double rows_us = 0;                  // per tile's worth of queries: a tile in part costs its part
  double block_us = 0;                 // per KV block that a tile walks
  double pairs_us = 0;                 // per tile x block of pairs; only if not padded
  double kv_block_us = 0;              // per KV block of a segment; 0: not told apart from tile_us
  double empty_block_us = 0;           // per block of the grid without work
  int32_t tile_tokens = kTileTokens;   // queries of a tile
  int32_t block_tokens = kTileTokens;  // keys of a KV block; a multiple or divisor of tile_tokens
  // Whether a tile walks whole blocks with all its rows, whatever the segment has of them. If not,
  // a causal segment is a rectangle before a square, whose blocks begin with it.
  bool padded = true;

  double mean_error = -1;  // relative, of this model on what was measured; -1: not measured
  double worst_error = -1;
};

// What a model scales by.
struct GpuProperties {
  std::string name;                    // "H100 SXM"
  int32_t sms = 1;                     // streaming multiprocessors, or cores
  double peak_flops_per_second = 0;    // dense, bf16; 0: unknown
  double memory_bytes_per_second = 0;  // 0: unknown
};

struct KernelModel {
  std::string name;    // "cudnn_h200"
  std::string source;  // what was measured
  GpuProperties gpu;   // where it was measured, or what it was scaled to
  int32_t head_dim = 128;
  bool extrapolated = false;  // scaled to a GPU on which nothing was measured
  KernelConstants forward;
  KernelConstants backward;

  const KernelConstants& of(KernelPass pass) const {
    return pass == KernelPass::forward ? forward : backward;
  }
};

// The model on another GPU: KV block walks by peak FLOP/s per SM, what a tile and a KV block cost
// once by memory bandwidth per SM, launches as they are. The same model if the facts agree within
// 2%, else marked as extrapolated. Unknown facts do not scale.
KernelModel scaled_to(const KernelModel& model, const GpuProperties& gpu);

// Whether this shape scales the model by its head sizes.
bool extrapolates(const KernelModel& model, const AttentionShape& shape);

// What the constants of a call are multiplied with; those per head and SM not yet.
struct CallWork {
  double segments = 0;
  double longest = 0;  // blocks of the longest walk
  double tiles = 0;
  double rows = 0;  // queries, in tiles
  double blocks = 0;
  double pairs = 0;  // in tiles x blocks
  double kv_blocks = 0;
  double empty_blocks = 0;
};

// Division rounding up, by a tile or a block: a shift, where its tokens are a power of two.
class CeilDivision {
 public:
  explicit CeilDivision(int64_t by)
      : by_(by),
        shift_(std::has_single_bit(static_cast<uint64_t>(by))
                   ? std::countr_zero(static_cast<uint64_t>(by))
                   : -1) {}
  int64_t operator()(int64_t a) const {  // not negative
    return shift_ >= 0 ? (a + by_ - 1) >> shift_ : (a + by_ - 1) / by_;
  }

 private:
  int64_t by_;
  int shift_;
};

// One call, segment by segment: constant time for each, whatever its lengths.
class CallTime {
 public:
  // `query_heads` of the call, which may be some of the shape's. `sms` are those that the kernel
  // may use; 0: all.
  CallTime(const KernelModel& model, KernelPass pass, const AttentionShape& shape,
           int32_t query_heads, int32_t sms = 0);

  void add(const AttentionSegment& s) {
    if (s.q_tokens <= 0) return;
    const int64_t tiles = tiles_of_(s.q_tokens), kv_blocks = blocks_of_(s.kv_tokens);
    segments_ += s.count;
    tiles_ += s.count * tiles;
    rows_ += s.count * s.q_tokens;
    kv_blocks_ += s.count * kv_blocks;
    most_tiles_ = std::max(most_tiles_, tiles);
    most_kv_blocks_ = std::max(most_kv_blocks_, kv_blocks);
    if (c_.padded && !s.band && !s.causal) {
      blocks_ += s.count * tiles * kv_blocks;
      const int64_t walk = pass_ == KernelPass::forward ? kv_blocks : tiles;
      longest_walk_ = std::max(longest_walk_, walk);
    } else {
      add_walks(s, tiles, kv_blocks);
    }
  }
  CallWork work() const;
  double seconds() const;  // 0 without segments: no call

 private:
  void add_walks(const AttentionSegment& s, int64_t tiles, int64_t kv_blocks);

  KernelConstants c_;
  KernelPass pass_;
  CeilDivision tiles_of_, blocks_of_;  // of queries, of keys
  double width_;                       // of the head, relative to the model's
  double heads_per_sm_;
  int64_t segments_ = 0, tiles_ = 0, rows_ = 0, blocks_ = 0, kv_blocks_ = 0;
  int64_t walked_keys_ = 0, pairs_ = 0;          // if not padded
  int64_t most_tiles_ = 0, most_kv_blocks_ = 0;  // of a segment
  int64_t longest_walk_ = 0;                     // blocks
};

double kernel_seconds(const KernelModel& model, KernelPass pass,
                      std::span<const AttentionSegment> segments, const AttentionShape& shape,
                      int32_t query_heads, int32_t sms = 0);

}  // namespace cpbench
