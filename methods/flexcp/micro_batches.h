// Splits sequences into as few micro-batches as can each be placed.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "methods/flexcp/bins.h"

namespace cpbench::flexcp {

// Returns what `place(items)` returns for each micro-batch; `place` returns nothing if a
// micro-batch does not fit. The number of micro-batches starts at `least` and increases by one
// (beyond 16 by a sixteenth, so that very many are found quickly) until all fit. A micro-batch of
// one sequence must fit.
template <typename Place>
auto split(const Loads& loads, const Items& items, int64_t least, Place place) {
  using Placed = typename decltype(place(items))::value_type;
  const auto most = static_cast<int64_t>(items.size());
  for (int64_t parts = std::clamp<int64_t>(least, 1, most);;) {
    std::vector<Placed> micro_batches;
    for (const Items& part : deal(loads, items, static_cast<int32_t>(parts))) {
      std::optional<Placed> placed = place(part);
      if (!placed) break;
      micro_batches.push_back(std::move(*placed));
    }
    if (static_cast<int64_t>(micro_batches.size()) == parts) return micro_batches;
    parts = std::min(most, parts + std::max<int64_t>(1, parts / 16));
  }
}

}  // namespace cpbench::flexcp
