// Group-cast: every rank receives exactly the remote tokens that it needs, each token once.
//
//   homes  {[0, 8), [8, 16)},  needed {{}, [0, 12)}   gives   rank 0 casts [0, 8) to {1}
//
// Tokens with the same owner and the same receivers travel as one multicast. The reduction of
// gradients uses the same lists in the opposite direction (group-reduce).
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench::magi {

struct Cast {
  int32_t from = 0;
  std::vector<int32_t> to;  // ranks, ascending; not empty, without `from`
  Range tokens;             // owned by `from`, needed by all of `to`
  bool operator==(const Cast&) const = default;
};

// In token order; a cast ends where the owner or the receivers change. `homes` is a partition of
// the pack, one set per rank. What a rank owns of its `needed` set is left out.
std::vector<Cast> group_casts(const std::vector<Ranges>& homes, const std::vector<Ranges>& needed);

// The set of these ranks, in normal form.
Ranges as_ranges(const std::vector<int32_t>& ascending_ranks);

}  // namespace cpbench::magi
