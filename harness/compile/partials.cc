#include "harness/compile/partials.h"

#include <algorithm>
#include <limits>

namespace cpbench {

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
  for (size_t i = 0; i + 1 < bounds.size(); ++i) blocks_.push_back({bounds[i], bounds[i + 1]});
  add_accumulator(home, all);
}

void Partials::add_accumulator(int32_t buffer, Heads heads) {
  homes_[builder_.sets().home_of(builder_.tokens_of(buffer))].accumulators.push_back(
      {buffer, heads, std::vector<Written>(blocks_.size()), accumulators_++});
}

const std::vector<Partials::Accumulator*>& Partials::near(SetId tokens) {
  near_.clear();
  const auto add = [&](Home& home) {
    for (Accumulator& accumulator : home.accumulators) near_.push_back(&accumulator);
  };
  const int32_t home = builder_.sets().home_of(tokens);
  if (home < 0) {
    for (auto& [owner, each] : homes_) add(each);
  } else {
    for (const int32_t owner : {home, -1}) {
      if (const auto found = homes_.find(owner); found != homes_.end()) add(found->second);
    }
  }
  if (near_.size() > 1) std::ranges::sort(near_, {}, &Accumulator::number);
  return near_;
}

RangeSpan Partials::written_of(const Accumulator& accumulator, size_t block) const {
  const Written& written = accumulator.written[block];
  return written.whole ? builder_.sets()[tokens_of(accumulator)] : RangeSpan(written.ranges);
}

Partials::Written& Partials::settled(Accumulator& accumulator, size_t block) {
  Written& written = accumulator.written[block];
  written.last_owner = -1;
  if (written.taken.empty()) return written;
  if (written.taken_tokens == written.tokens) {
    written.ranges.clear();
  } else {
    Ranges taken;
    for (SetId set : written.taken) {
      const RangeSpan ranges = builder_.sets()[set];
      taken.insert(taken.end(), ranges.begin(), ranges.end());
    }
    written.ranges = subtract(written_of(accumulator, block), normalise(std::move(taken)));
  }
  written.whole = false;
  written.tokens -= written.taken_tokens;
  written.taken.clear();
  written.taken_tokens = 0;
  return written;
}

void Partials::write(Accumulator& accumulator, size_t block, SetId more) {
  if (more == RangeSets::kEmpty) return;
  const RankSets& sets = builder_.sets();
  Written& written = settled(accumulator, block);
  written.tokens += sets.size_of(more);
  written.whole = written.tokens == sets.size_of(tokens_of(accumulator));
  written.ranges = written.whole ? Ranges{} : unite(written.ranges, sets[more]);
}

Heads Partials::component_of(Heads heads) const {
  for (Heads component : components_) {
    if (component.overlaps(heads)) return component;
  }
  return heads;
}

template <typename Visit>
void Partials::each_block(SetId tokens, Heads heads, const Visit& visit) {
  for (Accumulator* accumulator : near(tokens)) {
    for (size_t block = 0; block < blocks_.size(); ++block) {
      if (blocks_[block].overlaps(heads) && blocks_[block].overlaps(accumulator->heads)) {
        visit(*accumulator, block, blocks_[block]);
      }
    }
  }
}

void Partials::reserve(SetId tokens, Heads heads) {
  if (tokens == RangeSets::kEmpty || holder(tokens, heads) >= 0) return;
  RankSets& sets = builder_.sets();
  const Heads component = component_of(heads);
  const int32_t home = sets.home_of(tokens);
  for (const int32_t owner : {home, -1}) {
    for (const auto& [reserved, of] : homes_[owner].reserved) {
      if (of == component && sets.known_part(tokens, reserved)) return;
    }
  }
  homes_[home].reserved.emplace_back(tokens, component);
  SetId missing = tokens;
  for (const Accumulator* accumulator : near(tokens)) {
    const SetId held = tokens_of(*accumulator);
    if (!accumulator->heads.overlaps(heads) || sets.size_of_intersection(held, missing) == 0) {
      continue;
    }
    missing = sets.subtract(missing, held);
    if (missing == RangeSets::kEmpty) return;
  }
  add_accumulator(builder_.add_buffer(tensor_, ElementClass::accumulation, component, missing, 0,
                                      builder_.buffer(home_).latent),
                  component);
}

int32_t Partials::holder(SetId tokens, Heads heads) {
  for (const Accumulator* accumulator : near(tokens)) {
    if (accumulator->heads.overlaps(heads) &&
        builder_.sets().contains(tokens_of(*accumulator), tokens)) {
      return accumulator->buffer;
    }
  }
  return -1;
}

bool Partials::any_written(SetId tokens, Heads heads) {
  bool any = false;
  each_block(tokens, heads, [&](Accumulator& accumulator, size_t block, Heads) {
    const Written& written = settled(accumulator, block);
    if (any || written.tokens == 0) return;
    RankSets& sets = builder_.sets();
    any = written.whole ? sets.size_of_intersection(tokens_of(accumulator), tokens) > 0
                        : overlap(written.ranges, sets[tokens]);
  });
  return any;
}

void Partials::mark_written(SetId tokens, Heads heads) {
  each_block(tokens, heads, [&](Accumulator& accumulator, size_t block, Heads) {
    const SetId here = builder_.sets().intersect(tokens_of(accumulator), tokens);
    write(accumulator, block, here);
  });
}

void Partials::complete(SetId tokens, Heads heads) {
  each_block(tokens, heads, [&](Accumulator& accumulator, size_t block, Heads block_heads) {
    const Written& written = settled(accumulator, block);
    if (written.whole) return;
    RankSets& sets = builder_.sets();
    SetId missing = sets.intersect(tokens_of(accumulator), tokens);
    if (written.tokens > 0) {
      missing = sets.intern_part(subtract(sets[missing], written.ranges), missing);
    }
    builder_.move(RowMode::clear, -1, accumulator.buffer, missing, block_heads);
    write(accumulator, block, missing);
  });
}

void Partials::add(int32_t source, SetId tokens, Heads heads) {
  each_block(tokens, heads, [&](Accumulator& accumulator, size_t block, Heads block_heads) {
    const Heads common{std::max(heads.begin, block_heads.begin),
                       std::min(heads.end, block_heads.end)};
    RankSets& sets = builder_.sets();
    const SetId here = sets.intersect(tokens_of(accumulator), tokens);
    const Written& written = settled(accumulator, block);
    if (written.whole || written.tokens == 0) {
      const RowMode mode = written.whole ? RowMode::accumulate : RowMode::store;
      builder_.move(mode, source, accumulator.buffer, here, common);
      if (!written.whole) write(accumulator, block, here);
      return;
    }
    const Ranges held = intersect(written.ranges, sets[here]);
    const SetId fresh = sets.intern_part(subtract(sets[here], written.ranges), here);
    builder_.move(RowMode::accumulate, source, accumulator.buffer, held, common);
    builder_.move(RowMode::store, source, accumulator.buffer, fresh, common);
    write(accumulator, block, fresh);
  });
}

void Partials::take(int32_t target, SetId tokens, Heads heads, int32_t owner, RowMode mode) {
  RankSets& sets = builder_.sets();
  std::vector<int64_t> missing(blocks_.size(), sets.size_of(tokens));
  each_block(tokens, heads, [&](Accumulator& accumulator, size_t block, Heads block_heads) {
    Written& written = accumulator.written[block];
    if (owner <= written.last_owner) settled(accumulator, block);
    int64_t held = 0;
    if (written.whole) {
      held = sets.size_of_intersection(tokens_of(accumulator), tokens);
      builder_.move(mode, accumulator.buffer, target, tokens, block_heads);
    } else {
      const Ranges ranges = intersect(written.ranges, sets[tokens]);
      held = size_of(ranges);
      builder_.move(mode, accumulator.buffer, target, ranges, block_heads);
    }
    if (held == 0) return;
    written.last_owner = owner < 0 ? std::numeric_limits<int32_t>::max() : owner;
    written.taken.push_back(tokens);
    written.taken_tokens += held;
    missing[block] -= held;
  });
  for (size_t block = 0; block < blocks_.size(); ++block) {
    if (mode == RowMode::accumulate) break;
    if (missing[block] == 0 || !blocks_[block].overlaps(heads)) continue;
    builder_.move_rows(RowMode::clear, -1, target, missing[block], blocks_[block], [&] {
      Ranges nowhere(sets[tokens].begin(), sets[tokens].end());
      for (const Accumulator* accumulator : near(tokens)) {
        nowhere = subtract(nowhere, written_of(*accumulator, block));
      }
      return nowhere;
    });
  }
  drop_taken(sets.home_of(tokens));
}

void Partials::drop_taken(int32_t home) {
  const auto taken = [&](const Accumulator& accumulator) {
    return accumulator.buffer != home_ &&
           std::ranges::all_of(accumulator.written,
                               [](const Written& w) { return w.tokens == w.taken_tokens; });
  };
  const auto drop = [&](Home& from) { return std::erase_if(from.accumulators, taken) > 0; };
  Home& known = homes_[home];
  if (home >= 0 && drop(known)) {
    known.reserved.clear();
    homes_[-1].reserved.clear();
  }
  bool dropped = drop(homes_[-1]);
  if (home < 0) {
    for (auto& [owner, each] : homes_) dropped |= drop(each);
  }
  if (!dropped) return;
  for (auto& [owner, each] : homes_) each.reserved.clear();
}

}  // namespace cpbench
