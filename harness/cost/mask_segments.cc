#include "harness/cost/mask_segments.h"

namespace cpbench {

void mask_segments(const MaskIndex& mask, RangeSpan queries, std::vector<AttentionSegment>& out) {
  out.clear();
  mask.for_each_part(queries, [&](const MaskPart& part) {
    AttentionSegment segment{.q_tokens = part.queries.size(),
                             .kv_tokens = part.keys.size(),
                             .causal = part.form == PartForm::causal};
    if (part.form == PartForm::band) {
      segment.band = true;
      segment.last = part.queries.begin - part.keys.begin;
      segment.first = segment.last - part.window + 1;
    }
    out.push_back(segment);
  });
}

}  // namespace cpbench
