#include "methods/fcp/units.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "harness/plan/mask.h"

namespace cpbench::fcp {
namespace {

// The leftmost of many bins that has room, in logarithmic time: a complete binary tree whose nodes
// hold the most room below them.
class Bins {
 public:
  Bins(size_t bins, int64_t capacity) : leaves_(std::bit_ceil(std::max<size_t>(bins, 1))) {
    room_.assign(2 * leaves_, capacity);
  }

  size_t put(int64_t size) {
    size_t node = 1;
    while (node < leaves_) node = 2 * node + (room_[2 * node] < size);
    room_[node] -= size;
    for (size_t up = node / 2; up >= 1; up /= 2) {
      room_[up] = std::max(room_[2 * up], room_[2 * up + 1]);
    }
    return node - leaves_;
  }

 private:
  size_t leaves_;
  std::vector<int64_t> room_;
};

// First-fit decreasing; `sequences` are shorter than a block.
std::vector<Ranges> pack(std::vector<Range> sequences, int64_t block_tokens) {
  std::stable_sort(sequences.begin(), sequences.end(),
                   [](const Range& a, const Range& b) { return a.size() > b.size(); });
  Bins bins(sequences.size(), block_tokens);
  std::vector<Ranges> packed;
  for (const Range& sequence : sequences) {
    const size_t bin = bins.put(sequence.size());
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
  std::vector<int64_t> lengths = batch.document_lengths;
  if (batch.mask == Mask::causal) lengths = {batch.tokens()};
  Units result;
  std::vector<Range> shorter;
  int64_t start = 0;
  for (int64_t length : lengths) {
    const Range tokens{start, start + length};
    start += length;
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
  const MaskIndex mask(batch);
  for (Unit& unit : result.units) {
    unit.size = size_of(unit.tokens);
    unit.pairs = mask.pairs(unit.tokens);
  }
  return result;
}

}  // namespace cpbench::fcp
