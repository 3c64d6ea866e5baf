// Lower bounds of the work of the busiest rank, for any placement of the units. A search is judged
// by them.
//
//   least_work(units, ranks, token_limit(tokens, ranks, 0.125))   // in (query, key) pairs
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

// Of the k N + 1 largest units on N ranks, some rank has k + 1, which are at least the k + 1
// smallest of them. Fast to compute. In pairs; 0 without units.
int64_t least_work_by_count(const std::vector<Unit>& units, int32_t ranks);

// The largest of the mean and three bounds, in pairs; at least least_work_by_count. If it is above
// the mean, only smaller units (or, for the third bound, more room for tokens) can balance better.
//
// - By count, as above.
// - As bin packing: if ranks with c pairs each can hold all units, they can also hold them after
//   the size x = pairs / c of each unit is changed by a dual feasible function (Fekete and
//   Schepers, 2001). Units above 1 - e count as 1 and those below e as 0; then x becomes floor((k +
//   1) x) / k. The bound is the largest c for which the sum exceeds N.
// - By the token limit: the j largest units, no two of which fit on one rank, are on j ranks. The
//   other N - j ranks have a limited room for tokens and thus, at best, take the units with the
//   most pairs per token. All other work is on the j ranks.
int64_t least_work(const std::vector<Unit>& units, int32_t ranks, int64_t token_limit);

}  // namespace cpbench::fcp
