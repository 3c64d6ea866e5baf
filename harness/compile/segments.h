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
#include "harness/compile/rank_sets.h"
#include "harness/plan/mask.h"

namespace cpbench {

// The segments of one call: no query row twice. out_row = q_row, dkv_row = kv_row.
using CallSegments = std::vector<Segment>;

// levels[l] gets the l-th occurrence of each query row. `q` and `kv` are normal and lie in the
// buffers that hold `q_set` and `kv_set`.
void append_segments(const MaskIndex& mask, RankSets& sets, RangeSpan q, SetId q_set, RangeSpan kv,
                     SetId kv_set, size_t first_level, std::vector<CallSegments>& levels);

// Tokens of the query rows of a call, whose buffer holds `q_set`, and of its key rows.
SetId queries_of(const CallSegments& call, RankSets& sets, SetId q_set);
SetId keys_of(const CallSegments& call, RankSets& sets, SetId kv_set);

// The keys among `kv` that some query of `q` sees.
Ranges visible_keys(const MaskIndex& mask, RangeSpan q, RangeSpan kv);

}  // namespace cpbench
