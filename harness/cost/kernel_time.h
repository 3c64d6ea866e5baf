// How long a fused attention kernel takes, from its segments: no clock, no GPU.
//
// A call of variable length works through query tiles of kTileTokens rows, head by head, on the
// SMs of one GPU; a tile walks the KV blocks up to the last key that its last row sees:
//
//   T = call + (query heads / SMs) * [sum over tiles (tile + block * KV blocks it walks)
//                                     + kv_block * sum over segments of their KV blocks]
//
//   const KernelModel& model = find_kernel_model("cudnn_h200");
//   std::vector<AttentionSegment> call = {{.q_tokens = 4096, .kv_tokens = 4096, .causal = true}};
//   kernel_seconds(model, KernelPass::forward, call, 64)   // 468e-6; measured 465e-6
//
// The constants were fitted to measurements in bf16 at head size 128; other head sizes are not
// modelled. Tiles of a call are taken as spread evenly over the SMs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cpbench {

inline constexpr int64_t kTileTokens = 128;  // query rows of a tile, in all kernels of the table

// `q_tokens` consecutive queries over `kv_tokens` keys, those that the last query sees. Causal:
// aligned bottom right, so query i (from 0) sees the first kv_tokens - q_tokens + 1 + i keys, if
// any. Not causal: every query sees all.
struct AttentionSegment {
  int64_t q_tokens = 0;
  int64_t kv_tokens = 0;
  bool causal = false;
  int64_t count = 1;  // as many equal segments
};

enum class KernelPass : uint8_t { forward, backward };

struct KernelConstants {
  double call_us = 0;                  // once per call
  double tile_us = 0;                  // per query tile and head, on one SM
  double block_us = 0;                 // per KV block that a tile walks
  double kv_block_us = 0;              // per KV block of a segment; 0: not told apart from tile_us
  int64_t block_tokens = kTileTokens;  // keys of a KV block; divides kTileTokens
};

struct KernelModel {
  std::string name;    // "cudnn_h200"
  std::string source;  // what was measured, and how well the constants describe it
  int32_t sms = 0;
  KernelConstants forward;
  KernelConstants backward;
};

const std::vector<KernelModel>& kernel_models();
// Throws UserError with the nearest name.
const KernelModel& find_kernel_model(const std::string& name);

// One call of these segments. Constant time per segment, whatever its lengths.
double kernel_seconds(const KernelModel& model, KernelPass pass,
                      std::span<const AttentionSegment> segments, int32_t query_heads);

}  // namespace cpbench
