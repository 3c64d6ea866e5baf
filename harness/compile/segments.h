// Attention of a query set over a key set as segments over the rows of two buffers.
//
// The keys that a query sees are one contiguous token range, so in a buffer sorted by token they
// are one run of rows (several only where the buffer holds keys that this attention leaves out).
// A query range [a, b): keys before a give a full segment; if the key set holds all of [a, b), one
// causal segment covers those before and these; if it holds some, the query range is split.
// Neighbouring segments fuse where one bottom-right causal (or full) segment says the same: a
// document of which a rank attends its own two chunks is one causal segment.
#pragma once

#include <vector>

#include "harness/compile/program.h"
#include "harness/compile/row_maps.h"
#include "harness/plan/mask.h"

namespace cpbench {

// levels[l] are the segments of the l-th occurrence of their query rows: no row twice in a level.
// `q` and `kv` are normal and lie in the buffers that hold `q_set` and `kv_set`.
void append_segments(const MaskIndex& mask, RowMaps& maps, RangeSpan q, SetId q_set, RangeSpan kv,
                     SetId kv_set, size_t first_level, std::vector<std::vector<Segment>>& levels);

// The keys among `kv` that some query of `q` sees.
Ranges visible_keys(const MaskIndex& mask, RangeSpan q, RangeSpan kv);

}  // namespace cpbench
