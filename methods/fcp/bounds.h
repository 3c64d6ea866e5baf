// How little work the busiest rank can have, whatever the placement: what a search is measured by.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/units.h"

namespace cpbench::fcp {

// Of the k N + 1 largest units on N ranks, some rank has k + 1, at least the smallest k + 1 of
// them. Fast; in pairs. 0 without units.
int64_t least_work_by_count(const std::vector<Unit>& units, int32_t ranks);

// The largest of the mean and three bounds, in pairs; at least least_work_by_count. Above the mean,
// only smaller units (or, for the last, more room for tokens) balance better.
//
// - By count, as above.
// - As bin packing: if ranks with c pairs each hold all units, they also do after each unit's size
//   x = pairs / c is changed by a dual feasible function (Fekete and Schepers, 2001). Units above
//   1 - e count as 1 and those below e as 0; then x becomes floor((k + 1) x) / k. The largest c is
//   searched for which the sum exceeds N.
// - By the token limit: the j largest units, no two of which fit on one rank, are on j ranks. The
//   other N - j have room for so many tokens and thus, at the most, for the units with the most
//   pairs per token; all other work is on the j.
int64_t least_work(const std::vector<Unit>& units, int32_t ranks, int64_t token_limit);

}  // namespace cpbench::fcp
