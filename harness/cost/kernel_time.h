// How long a fused attention kernel takes, computed from its segments without a clock or a GPU.
//
//   const KernelModel& model = find_kernel("cudnn_h200");
//   AttentionShape shape{.query_heads = 64, .head_dim = 128, .value_head_dim = 128};
//   CallTime call(model, KernelPass::forward, shape, 64);
//   call.add({.q_tokens = 4096, .kv_tokens = 4096, .causal = true});
//   call.seconds()   // 465e-6; measured 465e-6
//
// A variable-length call works through query tiles, head by head, on the SMs of one GPU. A tile
// walks the KV blocks from the first to the last key that one of its rows sees:
//
//   T = call + segment * segments + longest * (blocks of the longest walk)
//       + (query heads / SMs) * [sum over tiles (tile + rows * share of its rows in use
//                                                + block * KV blocks it walks)
//                                + sum over segments kv_block * KV blocks
//                                + sum over long segments grouped_kv_block * KV blocks
//                                + empty_block * empty blocks]
//   T + sustained_slowdown * (T - 10 ms), if T is longer than that
//
// and never less than the longest walk of one tile. The last line is the power limit: GPUs run
// attention at a higher clock than they can sustain, for a while. Variable-length kernels launch a
// grid of segments x blocks of the longest segment (blocks of queries forward, of keys backward).
// The blocks beyond the end of their segment are the empty blocks.
//
// A library on a CPU calls matrix products of exactly the rows and keys that there are. Nothing is
// padded there, and pairs * (share of a full tile times block) joins the sum over tiles.
//
// Times of GPUs are for bf16, whatever the dtype of the shape. Head sizes other than the measured
// one scale all work by their width, which is an extrapolation.
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
//   full    all keys
//   causal  the first kv_tokens - q_tokens + 1 + i keys, if any: aligned bottom right
//   band    the keys j with first <= j - i <= last; every query must see one
struct AttentionSegment {
  int64_t q_tokens = 0;
  int64_t kv_tokens = 0;
  bool causal = false;
  int64_t count = 1;  // of equal segments
  // Or `count` segments that are full, of at most few_tokens(model) queries and keys each; q_tokens
  // and kv_tokens are those of all of them together.
  bool summed = false;
  bool band = false;
  int64_t first = 0;  // of a band
  int64_t last = 0;   // of a band
};

enum class KernelPass : uint8_t { forward, backward };

// The time for which an empty block occupies an SM, for models whose measured calls had none. It is
// an assumption: the block reads the bounds of its segment and ends, so it waits once for the L2,
// about 260 cycles on an H100 (as measured in arXiv 2402.13499) at 1.755 GHz. What it costs to
// replace a block is not known. It applies to variable-length kernels whose grid covers the longest
// segment.
inline constexpr double kAssumedEmptyBlockUs = 0.15;

// For how long a call may exceed the power that the GPU sustains. Measured calls of FlashAttention
// and cuDNN on H200 and GB200 (results/calibration) become slower from one size to the next when
// they take more than 5 to 20 ms, whatever the length of their segments.
inline constexpr double kBoostUs = 10'000;

// The constants of one pass of a kernel. All times are in microseconds, and none is negative.
struct KernelConstants {
  double call_us = 0;      // once per call
  double segment_us = 0;   // per segment, whatever its length and heads
  double longest_us = 0;   // per block of the longest walk: SMs idle at the end
  double tile_us = 0;      // per query tile and head on one SM, as all below
  double rows_us = 0;      // per tile's worth of queries; a partial tile costs its part
  double block_us = 0;     // per KV block that a tile walks
  double pairs_us = 0;     // per tile x block of pairs; only if not padded
  double kv_block_us = 0;  // per KV block of a segment; 0 if it is part of tile_us
  // The same, in addition, if query heads share KV heads, for segments of more keys than
  // grouped_cached_tokens, whose gradients of keys and values do not stay in the L2 until the next
  // query head adds to them.
  double grouped_kv_block_us = 0;
  int32_t grouped_cached_tokens = 0;
  double empty_block_us = 0;           // per block of the grid without work
  double sustained_slowdown = 0;       // share by which all time after the first kBoostUs is longer
  int32_t tile_tokens = kTileTokens;   // queries of a tile
  int32_t block_tokens = kTileTokens;  // keys of a KV block: a multiple or divisor of tile_tokens
  // Whether a tile always walks whole blocks with all its rows, even where the segment has fewer.
  // If not, a causal segment is a rectangle before a square, and the blocks of the square begin
  // with it.
  bool padded = true;

  double mean_error = -1;   // relative error of this model on the measured calls; -1: not known
  double worst_error = -1;  // the same for the worst call
};

// The properties by which a model is scaled to another GPU.
struct GpuProperties {
  std::string name;                    // "H100 SXM"
  int32_t sms = 1;                     // streaming multiprocessors, or cores
  double peak_flops_per_second = 0;    // dense, bf16; 0: unknown
  double memory_bytes_per_second = 0;  // 0: unknown
};

struct KernelModel {
  std::string name;        // "cudnn_h200"
  std::string source;      // what was measured
  GpuProperties gpu;       // the GPU of the measurement, or the one to which the model was scaled
  int32_t head_dim = 128;  // the measured head size
  bool extrapolated = false;  // whether it was scaled to a GPU without measurements
  KernelConstants forward;
  KernelConstants backward;

  const KernelConstants& of(KernelPass pass) const {
    return pass == KernelPass::forward ? forward : backward;
  }
};

// The model on another GPU. KV block walks scale by peak FLOP/s per SM, the costs of a tile and of
// a KV block by memory bandwidth per SM, and launches stay as they are. If the properties agree
// within 2% the constants do not change, otherwise the model is marked as extrapolated. Unknown
// properties do not scale.
KernelModel scaled_to(const KernelModel& model, const GpuProperties& gpu);

// The most queries and keys of full segments whose time depends only on their number and on all
// their queries and keys together: each is one tile that walks one block. 0 if there are none.
int32_t few_tokens(const KernelModel& model);

// Whether the model is scaled for the head sizes of this shape.
bool extrapolates(const KernelModel& model, const AttentionShape& shape);

// The quantities that the constants of a call are multiplied by, before the scaling by heads per
// SM.
struct CallWork {
  double segments = 0;
  double longest = 0;  // blocks of the longest walk
  double tiles = 0;
  double rows = 0;  // queries, counted in tiles
  double blocks = 0;
  double pairs = 0;  // counted in tiles x blocks
  double kv_blocks = 0;
  double empty_blocks = 0;
};

// Division that rounds up, by the tokens of a tile or a block. If they are a power of two it is a
// shift.
class CeilDivision {
 public:
  explicit CeilDivision(int64_t by)
      : by_(by),
        shift_(std::has_single_bit(static_cast<uint64_t>(by))
                   ? std::countr_zero(static_cast<uint64_t>(by))
                   : -1) {}
  int64_t operator()(int64_t a) const {  // `a` >= 0
    return shift_ >= 0 ? (a + by_ - 1) >> shift_ : (a + by_ - 1) / by_;
  }

 private:
  int64_t by_;
  int shift_;
};

// The time of one call. Adding a segment takes constant time, whatever its lengths.
class CallTime {
 public:
  // `query_heads` are those of the call, which may be fewer than the shape's. `sms` is the number
  // of SMs that the kernel may use; 0 means all.
  CallTime(const KernelModel& model, KernelPass pass, const AttentionShape& shape,
           int32_t query_heads, int32_t sms = 0);

  void add(const AttentionSegment& s) {
    if (s.q_tokens <= 0) return;
    if (s.summed) return add_sum(s);
    const int64_t tiles = tiles_of_(s.q_tokens), kv_blocks = blocks_of_(s.kv_tokens);
    segments_ += s.count;
    tiles_ += s.count * tiles;
    rows_ += s.count * s.q_tokens;
    kv_blocks_ += s.count * kv_blocks;
    if (grouped_ && s.kv_tokens > c_.grouped_cached_tokens) grouped_blocks_ += s.count * kv_blocks;
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
  double seconds() const;  // 0 without segments, when there is no call

 private:
  void add_sum(const AttentionSegment& s) {
    segments_ += s.count;
    tiles_ += s.count;
    rows_ += s.q_tokens;
    kv_blocks_ += s.count;
    blocks_ += s.count;
    most_tiles_ = std::max<int64_t>(most_tiles_, 1);
    most_kv_blocks_ = std::max<int64_t>(most_kv_blocks_, 1);
    longest_walk_ = std::max<int64_t>(longest_walk_, 1);
  }
  void add_walks(const AttentionSegment& s, int64_t tiles, int64_t kv_blocks);

  KernelConstants c_;
  KernelPass pass_;
  CeilDivision tiles_of_, blocks_of_;  // of queries, of keys
  bool grouped_;                       // whether query heads share KV heads
  double width_;                       // of a head, relative to the model's
  double heads_per_sm_;
  int64_t segments_ = 0, tiles_ = 0, rows_ = 0, blocks_ = 0, kv_blocks_ = 0;
  int64_t grouped_blocks_ = 0;                   // of keys that do not stay in the L2
  int64_t walked_keys_ = 0, pairs_ = 0;          // if not padded
  int64_t most_tiles_ = 0, most_kv_blocks_ = 0;  // of a segment
  int64_t longest_walk_ = 0;                     // blocks
};

double kernel_seconds(const KernelModel& model, KernelPass pass,
                      std::span<const AttentionSegment> segments, const AttentionShape& shape,
                      int32_t query_heads, int32_t sms = 0);

}  // namespace cpbench
