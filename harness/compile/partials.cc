// See partials.h.
#include "harness/compile/partials.h"

#include <algorithm>
#include <limits>

namespace cpbench {
namespace {

bool overlaps(Heads a, Heads b) { return a.begin < b.end && b.begin < a.end; }

Ranges copy_of(RangeSpan ranges) { return {ranges.begin(), ranges.end()}; }

}  // namespace

Partials::Partials(RankBuilder& builder, Tensor tensor, int32_t home, std::vector<Heads> used)
    : builder_(builder), tensor_(tensor), home_(home) {
  const Heads all = builder.buffer(home).heads;
  std::vector<int32_t> bounds = {all.begin, all.end};
  std::ranges::sort(used, {}, &Heads::begin);
  for (Heads heads : used) {
    bounds.push_back(heads.begin);
    bounds.push_back(heads.end);
    if (!components_.empty() && heads.begin < components_.back().end) {
      components_.back().end = std::max(components_.back().end, heads.end);
    } else {
      components_.push_back(heads);
    }
  }
  std::ranges::sort(bounds);
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  for (size_t i = 0; i + 1 < bounds.size(); ++i) cells_.push_back({bounds[i], bounds[i + 1]});
  accumulators_.push_back({home, all, std::vector<Written>(cells_.size())});
}

void Partials::Written::settle() {
  last_owner = -1;
  if (taken.empty()) return;
  if (taken_tokens == tokens) {
    ranges.clear();
  } else {
    ranges = subtract(ranges, normalise(std::move(taken)));
  }
  tokens -= taken_tokens;
  taken.clear();
  taken_tokens = 0;
}

void Partials::Written::unite(RangeSpan more) {
  settle();
  if (more.empty()) return;
  ranges = cpbench::unite(ranges, more);
  tokens = size_of(ranges);
}

void Partials::Written::take(RangeSpan less, int32_t owner) {
  last_owner = owner < 0 ? std::numeric_limits<int32_t>::max() : owner;
  taken.insert(taken.end(), less.begin(), less.end());
  taken_tokens += size_of(less);
}

Ranges Partials::written_of(Accumulator& accumulator, size_t cell, SetId here) {
  Written& written = accumulator.written[cell];
  written.settle();
  const RankSets& sets = builder_.sets();
  if (written.tokens == sets.size_of(tokens_of(accumulator))) return copy_of(sets[here]);
  return intersect(written.ranges, sets[here]);
}

Ranges Partials::unwritten_of(Accumulator& accumulator, size_t cell, SetId here) {
  Written& written = accumulator.written[cell];
  written.settle();
  const RankSets& sets = builder_.sets();
  if (written.tokens == sets.size_of(tokens_of(accumulator))) return {};
  return subtract(sets[here], written.ranges);
}

Heads Partials::component_of(Heads heads) const {
  for (Heads component : components_) {
    if (overlaps(component, heads)) return component;
  }
  return heads;
}

template <typename Accumulators, typename Visit>
void Partials::each_cell(Accumulators& accumulators, Heads heads, const Visit& visit) const {
  for (auto& accumulator : accumulators) {
    for (size_t cell = 0; cell < cells_.size(); ++cell) {
      if (overlaps(cells_[cell], heads) && overlaps(cells_[cell], accumulator.heads)) {
        visit(accumulator, cell, cells_[cell]);
      }
    }
  }
}

void Partials::reserve(SetId tokens, Heads heads) {
  if (tokens == RangeSets::kEmpty || holder(tokens, heads) >= 0) return;
  RankSets& sets = builder_.sets();
  const Heads component = component_of(heads);
  Ranges missing = copy_of(sets[tokens]);
  for (const Accumulator& accumulator : accumulators_) {
    if (!overlaps(accumulator.heads, heads) ||
        sets.intersect(tokens_of(accumulator), tokens) == RangeSets::kEmpty) {
      continue;
    }
    missing = subtract(missing, sets[tokens_of(accumulator)]);
    if (missing.empty()) return;
  }
  const SetId set = sets.intern(missing, tokens);
  const int32_t buffer = builder_.add_buffer(tensor_, ElementClass::accumulation, component, set);
  accumulators_.push_back({buffer, component, std::vector<Written>(cells_.size())});
}

int32_t Partials::holder(SetId tokens, Heads heads) const {
  for (const Accumulator& accumulator : accumulators_) {
    if (overlaps(accumulator.heads, heads) &&
        builder_.sets().contains(tokens_of(accumulator), tokens)) {
      return accumulator.buffer;
    }
  }
  return -1;
}

bool Partials::any_written(SetId tokens, Heads heads) {
  bool any = false;
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads) {
    accumulator.written[cell].settle();
    any = any || overlap(accumulator.written[cell].ranges, builder_.sets()[tokens]);
  });
  return any;
}

void Partials::mark_written(SetId tokens, Heads heads) {
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads) {
    RankSets& sets = builder_.sets();
    accumulator.written[cell].unite(sets[sets.intersect(tokens_of(accumulator), tokens)]);
  });
}

void Partials::complete(SetId tokens, Heads heads) {
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads cell_heads) {
    const SetId here = builder_.sets().intersect(tokens_of(accumulator), tokens);
    const Ranges missing = unwritten_of(accumulator, cell, here);
    builder_.clear(accumulator.buffer, missing, cell_heads);
    accumulator.written[cell].unite(missing);
  });
}

void Partials::add(int32_t source, SetId tokens, Heads heads) {
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads cell_heads) {
    const SetId here = builder_.sets().intersect(tokens_of(accumulator), tokens);
    const Ranges held = written_of(accumulator, cell, here);
    const Ranges fresh = unwritten_of(accumulator, cell, here);
    const Heads common{std::max(heads.begin, cell_heads.begin),
                       std::min(heads.end, cell_heads.end)};
    builder_.move(RowMode::accumulate, source, accumulator.buffer, held, common);
    builder_.move(RowMode::store, source, accumulator.buffer, fresh, common);
    accumulator.written[cell].unite(fresh);
  });
}

void Partials::take(int32_t target, SetId tokens, Heads heads, int32_t owner) {
  std::vector<Ranges> missing(cells_.size(), copy_of(builder_.sets()[tokens]));
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads cell_heads) {
    Written& written = accumulator.written[cell];
    if (owner <= written.last_owner) written.settle();
    const Ranges held = intersect(written.ranges, builder_.sets()[tokens]);
    if (held.empty()) return;
    builder_.move(RowMode::store, accumulator.buffer, target, held, cell_heads);
    written.take(held, owner);
    if (size_of(held) == size_of(missing[cell])) {
      missing[cell].clear();
    } else {
      missing[cell] = subtract(missing[cell], held);
    }
  });
  for (size_t cell = 0; cell < cells_.size(); ++cell) {
    if (overlaps(cells_[cell], heads)) builder_.clear(target, missing[cell], cells_[cell]);
  }
  std::erase_if(accumulators_, [&](const Accumulator& accumulator) {
    return accumulator.buffer != home_ &&
           std::ranges::all_of(accumulator.written,
                               [](const Written& w) { return w.tokens == w.taken_tokens; });
  });
}

}  // namespace cpbench
