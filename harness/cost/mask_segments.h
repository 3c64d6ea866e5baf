// The segments of one kernel call in which some queries attend to all keys that they see.
//
//   mask_segments(mask, {{96, 128}}) of one causal document of 128: {q 32, kv 128, causal}
#pragma once

#include <vector>

#include "harness/cost/kernel_time.h"
#include "harness/plan/mask.h"

namespace cpbench {

// One segment per part of the mask. It is a band if a sliding window leaves out early keys of some
// query. `out` is cleared first.
void mask_segments(const MaskIndex& mask, RangeSpan queries, std::vector<AttentionSegment>& out);

}  // namespace cpbench
