#include "harness/cost/mask_segments.h"

#include <algorithm>

namespace cpbench {

void mask_segments(const MaskIndex& mask, RangeSpan queries, std::vector<AttentionSegment>& out) {
  out.clear();
  mask.for_each_block(queries, [&](Range piece, Range block) {
    if (mask.mask() == Mask::document_full) {
      out.push_back({piece.size(), block.size(), false});
      return;
    }
    int64_t end = piece.end - block.begin;
    if (mask.mask() != Mask::sliding_window) {
      out.push_back({piece.size(), end, true});
      return;
    }
    int64_t begin = piece.begin - block.begin;
    int64_t early = std::clamp<int64_t>(mask.window() - begin, 0, piece.size());
    if (early > 0) out.push_back({early, begin + early, true});
    int64_t late = piece.size() - early;
    int64_t before = mask.window() - 1;  // keys that the first query of a tile sees besides itself
    if (late >= kTileTokens) {
      out.push_back({kTileTokens, before + kTileTokens, false, late / kTileTokens});
    }
    int64_t rest = late % kTileTokens;
    if (rest > 0) out.push_back({rest, before + rest, false});
  });
}

}  // namespace cpbench
