#include "harness/cost/mask_segments.h"

namespace cpbench {

void mask_segments(const MaskIndex& mask, RangeSpan queries, std::vector<AttentionSegment>& out) {
  out.clear();
  mask.for_each_block(queries, [&](Range piece, Range block) {
    const Range keys = mask.visible_hull(piece, block);
    AttentionSegment segment{.q_tokens = piece.size(), .kv_tokens = keys.size()};
    if (mask.mask() == Mask::sliding_window && piece.end - block.begin > mask.window()) {
      segment.band = true;
      segment.last = piece.begin - keys.begin;
      segment.first = segment.last - mask.window() + 1;
    } else {
      segment.causal = mask.mask() != Mask::document_full;
    }
    out.push_back(segment);
  });
}

}  // namespace cpbench
