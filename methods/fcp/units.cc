#include "methods/fcp/units.h"

#include <algorithm>

#include "harness/plan/mask.h"
#include "harness/strategy/first_fit.h"

namespace cpbench::fcp {
namespace {

// First-fit decreasing. `sequences` must be shorter than a block.
std::vector<Ranges> pack(std::vector<Range> sequences, int64_t block_tokens) {
  std::stable_sort(sequences.begin(), sequences.end(),
                   [](const Range& a, const Range& b) { return a.size() > b.size(); });
  FirstFit bins(sequences.size(), block_tokens);
  std::vector<Ranges> packed;
  for (const Range& sequence : sequences) {
    const auto bin = static_cast<size_t>(bins.take(sequence.size()));
    if (bin == packed.size()) packed.emplace_back();
    packed[bin].push_back(sequence);
  }
  for (Ranges& bin : packed) bin = normalise(std::move(bin));
  return packed;
}

}  // namespace

Range Sequence::chunk(int32_t index) const {
  const int64_t base = tokens.size() / chunks, longer = tokens.size() % chunks;
  const auto begin = [&](int64_t i) { return tokens.begin + i * base + std::min(i, longer); };
  return {begin(index), begin(index + 1)};
}

Units cut(const Batch& batch, const UnitOptions& options) {
  const MaskIndex mask(batch);
  Units result;
  std::vector<Range> shorter;
  for (const Range& tokens : mask.blocks()) {
    const int64_t length = tokens.size();
    if (length < options.block_tokens) {
      shorter.push_back(tokens);
      continue;
    }
    Sequence sequence;
    sequence.tokens = tokens;
    sequence.first_unit = static_cast<int32_t>(result.units.size());
    sequence.units =
        static_cast<int32_t>((length + options.block_tokens - 1) / options.block_tokens);
    sequence.chunks = sequence.units * (options.shape == UnitShape::zigzag ? 2 : 1);
    for (int32_t u = 0; u < sequence.units; ++u) {
      Ranges parts = {sequence.chunk(u)};
      if (options.shape == UnitShape::zigzag) {
        parts.push_back(sequence.chunk(sequence.chunks - 1 - u));
      }
      result.units.push_back(
          {static_cast<int32_t>(result.sequences.size()), normalise(std::move(parts)), 0, 0});
    }
    result.sequences.push_back(sequence);
  }
  for (Ranges& bin : pack(std::move(shorter), options.block_tokens)) {
    result.units.push_back({-1, std::move(bin), 0, 0});
  }
  for (Unit& unit : result.units) {
    unit.size = size_of(unit.tokens);
    unit.pairs = mask.work(unit.tokens);
  }
  return result;
}

}  // namespace cpbench::fcp
