// See partials.h.
#include "harness/compile/partials.h"

#include <algorithm>

namespace cpbench {
namespace {

bool overlaps(Heads a, Heads b) { return a.begin < b.end && b.begin < a.end; }

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
  accumulators_.push_back({home, all, std::vector<Ranges>(cells_.size())});
}

RangeSpan Partials::tokens_of(const Accumulator& accumulator) const {
  return builder_.maps().sets()[builder_.buffer(accumulator.buffer).tokens];
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

void Partials::reserve(RangeSpan tokens, Heads heads) {
  const Heads component = component_of(heads);
  Ranges missing(tokens.begin(), tokens.end());
  for (const Accumulator& accumulator : accumulators_) {
    if (missing.empty()) return;
    if (overlaps(accumulator.heads, heads)) missing = subtract(missing, tokens_of(accumulator));
  }
  if (missing.empty()) return;
  const SetId set = builder_.maps().sets().intern(missing);
  const int32_t buffer = builder_.add_buffer(tensor_, ElementClass::accumulation, component, set);
  accumulators_.push_back({buffer, component, std::vector<Ranges>(cells_.size())});
}

int32_t Partials::holder(RangeSpan tokens, Heads heads) const {
  for (const Accumulator& accumulator : accumulators_) {
    if (overlaps(accumulator.heads, heads) && contains_all(tokens_of(accumulator), tokens)) {
      return accumulator.buffer;
    }
  }
  return -1;
}

bool Partials::any_written(RangeSpan tokens, Heads heads) const {
  bool any = false;
  each_cell(accumulators_, heads, [&](const Accumulator& accumulator, size_t cell, Heads) {
    any = any || overlap(accumulator.written[cell], tokens);
  });
  return any;
}

void Partials::mark_written(RangeSpan tokens, Heads heads) {
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads) {
    Ranges& written = accumulator.written[cell];
    written = unite(written, intersect(tokens_of(accumulator), tokens));
  });
}

void Partials::complete(RangeSpan tokens, Heads heads) {
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads cell_heads) {
    Ranges& written = accumulator.written[cell];
    const Ranges missing = subtract(intersect(tokens_of(accumulator), tokens), written);
    builder_.clear(accumulator.buffer, missing, cell_heads);
    written = unite(written, missing);
  });
}

void Partials::add(int32_t source, RangeSpan tokens, Heads heads) {
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads cell_heads) {
    Ranges& written = accumulator.written[cell];
    const Ranges here = intersect(tokens_of(accumulator), tokens);
    const Ranges fresh = subtract(here, written);
    const Heads common{std::max(heads.begin, cell_heads.begin),
                       std::min(heads.end, cell_heads.end)};
    builder_.move(RowMode::accumulate, source, accumulator.buffer, subtract(here, fresh), common);
    builder_.move(RowMode::store, source, accumulator.buffer, fresh, common);
    written = unite(written, fresh);
  });
}

void Partials::take(int32_t target, RangeSpan tokens, Heads heads) {
  std::vector<Ranges> missing(cells_.size(), Ranges(tokens.begin(), tokens.end()));
  each_cell(accumulators_, heads, [&](Accumulator& accumulator, size_t cell, Heads cell_heads) {
    Ranges& written = accumulator.written[cell];
    const Ranges held = intersect(written, tokens);
    if (held.empty()) return;
    builder_.move(RowMode::store, accumulator.buffer, target, held, cell_heads);
    written = subtract(written, held);
    missing[cell] = subtract(missing[cell], held);
  });
  for (size_t cell = 0; cell < cells_.size(); ++cell) {
    if (overlaps(cells_[cell], heads)) builder_.clear(target, missing[cell], cells_[cell]);
  }
  std::erase_if(accumulators_, [&](const Accumulator& accumulator) {
    return accumulator.buffer != home_ &&
           std::ranges::all_of(accumulator.written, [](const Ranges& w) { return w.empty(); });
  });
}

}  // namespace cpbench
