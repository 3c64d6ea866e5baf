// Attention of a query set to a key set, as segments over the rows of two buffers.
//
// The keys that a query sees of its own document are one contiguous range of tokens, so in a buffer
// sorted by token they are one run of rows. (They are several runs only if the buffer holds keys
// that this attention leaves out.) The ranges of its ancestors are full segments of their own, each
// on a level of its own. For a query range [a, b), the keys before a give a full segment. If the
// key set has all of [a, b), one causal segment covers those keys and the ones before; if it has
// some of them, the query range is split. Neighbouring segments are fused if one causal (aligned
// bottom right) or full segment says the same: a document of which a rank attends its own two
// chunks is one causal segment, and so are single tokens of it, every N-th one, over every N-th
// key.
#pragma once

#include <vector>

#include "harness/compile/program.h"
#include "harness/compile/rank_sets.h"
#include "harness/plan/mask.h"

namespace cpbench {

// The segments of one call, in which no query row occurs twice. out_row = q_row and dkv_row =
// kv_row.
using CallSegments = std::vector<Segment>;

// levels[first_level + l] gets the l-th occurrence of each query row. `q` and `kv` are in normal
// form and lie in the buffers that hold `q_set` and `kv_set`.
void append_segments(const MaskIndex& mask, RankSets& sets, RangeSpan q, SetId q_set, RangeSpan kv,
                     SetId kv_set, size_t first_level, std::vector<CallSegments>& levels);

// The tokens of the query rows of a call, or of its key rows, whose buffer holds `set`.
Ranges rows_of(const CallSegments& call, bool keys, RankSets& sets, SetId set);
SetId queries_of(const CallSegments& call, RankSets& sets, SetId q_set);
SetId keys_of(const CallSegments& call, RankSets& sets, SetId kv_set);

}  // namespace cpbench
