#include "methods/fcp/permute.h"

#include <algorithm>
#include <numeric>

namespace cpbench::fcp {
namespace {

struct Holder {
  int32_t rank = 0;
  int32_t units = 0;
};

struct Traffic {
  int64_t sends = 0;
  int64_t receives = 0;
};

bool equal_cost(const Units& units, const Sequence& sequence) {
  const auto first = units.units.begin() + sequence.first_unit;
  const auto [least, most] =
      std::minmax_element(first, first + sequence.units,
                          [](const Unit& a, const Unit& b) { return a.pairs < b.pairs; });
  return 100 * (most->pairs - least->pairs) <= most->pairs;
}

std::vector<Holder> holders_of(const Sequence& sequence, const std::vector<int32_t>& rank_of) {
  std::vector<int32_t> ranks(rank_of.begin() + sequence.first_unit,
                             rank_of.begin() + sequence.first_unit + sequence.units);
  std::sort(ranks.begin(), ranks.end());
  std::vector<Holder> holders;
  for (int32_t rank : ranks) {
    if (holders.empty() || holders.back().rank != rank) holders.push_back({rank, 0});
    ++holders.back().units;
  }
  return holders;
}

}  // namespace

void permute_units(const Units& units, int32_t ranks, std::vector<int32_t>& rank_of) {
  std::vector<Traffic> traffic(ranks);
  std::vector<const Sequence*> order;
  for (const Sequence& s : units.sequences) {
    if (s.chunks == 2 * s.units && equal_cost(units, s)) order.push_back(&s);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Sequence* a, const Sequence* b) { return a->units > b->units; });
  for (const Sequence* sequence : order) {
    std::vector<Holder> holders = holders_of(*sequence, rank_of);
    if (holders.size() < 2) continue;
    std::stable_sort(holders.begin(), holders.end(), [&](const Holder& a, const Holder& b) {
      const Traffic &x = traffic[a.rank], &y = traffic[b.rank];
      return x.receives - x.sends < y.receives - y.sends;
    });
    int32_t unit = 0;  // of this sequence
    const auto others = static_cast<int64_t>(holders.size()) - 1;
    for (size_t h = 0; h < holders.size(); ++h) {
      const Holder& holder = holders[h];
      Traffic& t = traffic[holder.rank];
      // All other holders see its first chunks; those before it also see its middle ones.
      t.sends += holder.units * (others + static_cast<int64_t>(h));
      t.receives += sequence->units - holder.units;
      unit += holder.units;
      t.receives += sequence->units - unit;
      for (int32_t u = unit - holder.units; u < unit; ++u) {
        rank_of[sequence->first_unit + u] = holder.rank;
      }
    }
  }
}

}  // namespace cpbench::fcp
