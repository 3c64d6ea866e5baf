#include "harness/cost/kernel_time.h"

#include <cmath>
#include <limits>

namespace cpbench {
namespace {

// Rounds towards positive infinity, for negative numerators too.
int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// The sum over t = 1..n of ceil((start + tile * t) / block). All terms must be positive.
int64_t ladder(int64_t start, int64_t n, int64_t tile, int64_t block) {
  if (block <= tile) return n * ceil_div(start, block) + tile / block * (n * (n + 1) / 2);
  // ceil(x / block) = ceil(ceil(x / tile) / m): the sum of ceil(i / m) over consecutive i.
  const int64_t m = block / tile;
  const auto up_to = [&](int64_t i) {
    const int64_t whole = i / m;
    return m * (whole * (whole + 1) / 2) + i % m * (whole + 1);
  };
  const int64_t before = ceil_div(start, tile);
  return up_to(before + n) - up_to(before);
}

// The same sum, with start + tile * t clamped to 0..limit.
int64_t cut_ladder(int64_t start, int64_t n, int64_t limit, int64_t tile, int64_t block) {
  if (limit <= 0) return 0;
  const int64_t below = start < 0 ? std::min(n, -start / tile) : 0;  // terms that are 0
  const int64_t inside = start < limit ? std::clamp((limit - start) / tile, below, n)
                                       : below;  // the last term below the limit
  int64_t sum = (n - inside) * ceil_div(limit, block);
  if (inside > below) sum += ladder(start + below * tile, inside - below, tile, block);
  return sum;
}

// The number of KV blocks that all tiles of one causal or banded segment walk.
int64_t walked_blocks(const AttentionSegment& s, int64_t tiles, int64_t tile, int64_t block) {
  // Tile t = 1, 2, ... ends at key last + tile * t, the last one at last + q_tokens.
  const int64_t last = s.band ? s.last : s.kv_tokens - s.q_tokens;
  const int64_t end = std::min(s.kv_tokens, s.q_tokens + last);
  const int64_t ends = cut_ladder(last, tiles, end, tile, block);
  if (!s.band || s.first + (tiles - 1) * tile <= 0) return ends;
  // The tile begins at key x = first + tile * (t - 1), in block floor(x / block), which is the
  // ceiling of (x - block + 1) / block.
  return ends - cut_ladder(s.first - tile - block + 1, tiles, s.kv_tokens - block + 1, tile, block);
}

// The number of keys that all tiles of one segment walk, and that its last tile walks, if blocks
// are cut to the keys that there are.
struct WalkedKeys {
  int64_t all = 0;
  int64_t last = 0;
};
WalkedKeys walked_keys(const AttentionSegment& s, int64_t tiles, int64_t tile, int64_t block) {
  if (s.band) {
    const int64_t keys = std::min(s.kv_tokens, s.last - s.first + tile);
    return {tiles * keys, keys};
  }
  if (!s.causal) return {tiles * s.kv_tokens, s.kv_tokens};
  // Tile t = 1, 2, ... sees the rectangle and those blocks of the square that are not after its own
  // last row.
  const int64_t square = std::min(s.q_tokens, s.kv_tokens);
  const int64_t uncut = std::min(tiles, square / block * block / tile);
  const int64_t in_square = block * ladder(0, uncut, tile, block) + (tiles - uncut) * square;
  return {tiles * (s.kv_tokens - square) + in_square, s.kv_tokens};
}

}  // namespace

KernelModel scaled_to(const KernelModel& model, const GpuProperties& gpu) {
  // The factor from this GPU to the other for something of which each SM has its share.
  const auto ratio = [&](double here, double there) {
    if (here <= 0 || there <= 0) return 1.0;
    const double r = (here / model.gpu.sms) / (there / gpu.sms);
    return std::abs(r - 1) <= 0.02 ? 1.0 : r;
  };
  const double compute = ratio(model.gpu.peak_flops_per_second, gpu.peak_flops_per_second);
  const double memory = ratio(model.gpu.memory_bytes_per_second, gpu.memory_bytes_per_second);
  KernelModel scaled = model;
  scaled.extrapolated = model.extrapolated || compute != 1 || memory != 1;
  scaled.gpu = gpu;
  for (KernelConstants* c : {&scaled.forward, &scaled.backward}) {
    c->longest_us *= compute;
    c->block_us *= compute;
    c->pairs_us *= compute;
    c->tile_us *= memory;
    c->rows_us *= memory;
    c->kv_block_us *= memory;
    c->grouped_kv_block_us *= memory;
  }
  return scaled;
}

int32_t few_tokens(const KernelModel& model) {
  int32_t few = std::numeric_limits<int32_t>::max();
  for (const KernelConstants* c : {&model.forward, &model.backward}) {
    if (!c->padded) return 0;
    few = std::min({few, c->tile_tokens, c->block_tokens});
    if (c->grouped_kv_block_us > 0) few = std::min(few, c->grouped_cached_tokens);
  }
  return few;
}

bool extrapolates(const KernelModel& model, const AttentionShape& shape) {
  return shape.head_dim != model.head_dim || shape.value_head_dim != model.head_dim;
}

CallTime::CallTime(const KernelModel& model, KernelPass pass, const AttentionShape& shape,
                   int32_t query_heads, int32_t sms)
    : c_(model.of(pass)),
      pass_(pass),
      tiles_of_(c_.tile_tokens),
      blocks_of_(c_.block_tokens),
      grouped_(shape.query_heads > shape.kv_heads),
      width_((shape.head_dim + shape.value_head_dim) / (2.0 * model.head_dim)),
      heads_per_sm_(static_cast<double>(query_heads) / (sms > 0 ? sms : model.gpu.sms)) {}

void CallTime::add_walks(const AttentionSegment& s, int64_t tiles, int64_t kv_blocks) {
  if (c_.padded) {
    const bool masked = s.band || s.causal;
    blocks_ += s.count * (masked ? walked_blocks(s, tiles, c_.tile_tokens, c_.block_tokens)
                                 : tiles * kv_blocks);
  } else {
    const WalkedKeys keys = walked_keys(s, tiles, c_.tile_tokens, c_.block_tokens);
    const int64_t missing_rows = tiles * c_.tile_tokens - s.q_tokens;
    walked_keys_ += s.count * keys.all;
    pairs_ += s.count * (c_.tile_tokens * keys.all - missing_rows * keys.last);
  }
  // Forward, a block of queries walks the keys; backward, a block of keys walks the queries.
  const bool forward = pass_ == KernelPass::forward;
  int64_t walk = forward ? kv_blocks : tiles;
  if (s.band) {
    const int64_t width = s.last - s.first;
    walk = std::min(walk, forward ? ceil_div(width + c_.tile_tokens, c_.block_tokens)
                                  : ceil_div(width + c_.block_tokens, c_.tile_tokens));
  }
  longest_walk_ = std::max(longest_walk_, walk);
}

CallWork CallTime::work() const {
  const bool forward = pass_ == KernelPass::forward;
  const int64_t used = forward ? tiles_ : kv_blocks_;
  const int64_t grid_blocks = forward ? most_tiles_ : most_kv_blocks_;  // of each segment
  const double block = static_cast<double>(c_.block_tokens);
  const double blocks =
      c_.padded ? static_cast<double>(blocks_) : static_cast<double>(walked_keys_) / block;
  return {.segments = static_cast<double>(segments_),
          .longest = static_cast<double>(longest_walk_),
          .tiles = static_cast<double>(tiles_),
          .rows = static_cast<double>(rows_) / static_cast<double>(c_.tile_tokens),
          .blocks = blocks,
          .pairs = static_cast<double>(pairs_) / (block * c_.tile_tokens),
          .kv_blocks = static_cast<double>(kv_blocks_),
          .empty_blocks = static_cast<double>(segments_ * grid_blocks - used)};
}

double CallTime::seconds() const {
  if (segments_ == 0) return 0;
  const CallWork w = work();
  const double on_sms = c_.tile_us * w.tiles + c_.rows_us * w.rows + c_.block_us * w.blocks +
                        c_.pairs_us * w.pairs + c_.kv_block_us * w.kv_blocks +
                        c_.grouped_kv_block_us * static_cast<double>(grouped_blocks_);
  const double busy =
      std::max(on_sms * heads_per_sm_ + c_.longest_us * w.longest, c_.block_us * w.longest);
  const double us = c_.call_us + c_.segment_us * w.segments + width_ * busy +
                    c_.empty_block_us * w.empty_blocks * heads_per_sm_;
  return 1e-6 * (us + c_.sustained_slowdown * std::max(0.0, us - kBoostUs));
}

double kernel_seconds(const KernelModel& model, KernelPass pass,
                      std::span<const AttentionSegment> segments, const AttentionShape& shape,
                      int32_t query_heads, int32_t sms) {
  CallTime call(model, pass, shape, query_heads, sms);
  for (const AttentionSegment& s : segments) call.add(s);
  return call.seconds();
}

}  // namespace cpbench
