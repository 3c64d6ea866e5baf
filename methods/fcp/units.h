// The units that fcp places on ranks: pieces of about `block` tokens, cut from the batch.
//
//   cut({.document_lengths = {8, 3}}, {.block_tokens = 4})
//     // sequence 0-8: unit 0 = 0-2 and 6-8, unit 1 = 2-6; then unit 2 = 8-11
//
// A sequence (a document, a tree of documents, or under the causal mask the whole pack) of L >=
// block tokens becomes k = ceil(L / block) units. Zigzag: the sequence is cut into 2k nearly equal
// chunks, and unit u has the chunks u and 2k-1-u, so that under a causal mask all units of a
// sequence cost the same. Contiguous: it is cut into k chunks, and unit u is chunk u. Shorter
// sequences stay whole and are packed, by first-fit decreasing, into units of at most `block`
// tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench::fcp {

enum class UnitShape : uint8_t { zigzag, contiguous };

struct UnitOptions {
  int64_t block_tokens = 4096;  // >= 1
  UnitShape shape = UnitShape::zigzag;
};

struct Unit {
  int32_t sequence = -1;  // index into Units::sequences; -1 for packed short sequences
  Ranges tokens;          // in normal form, not empty, at most block_tokens
  int64_t size = 0;       // in tokens
  int64_t pairs = 0;      // (query, key) pairs of its queries
};

// A sequence that is cut into the units [first_unit, first_unit + units).
struct Sequence {
  Range tokens;
  int32_t first_unit = 0;
  int32_t units = 0;
  int32_t chunks = 0;  // 2 * units (zigzag) or units (contiguous)

  // The first chunks are one token longer; the last may be empty.
  Range chunk(int32_t index) const;
  int32_t unit_of_chunk(int32_t index) const {
    return first_unit + (index < units ? index : chunks - 1 - index);
  }
};

struct Units {
  std::vector<Unit> units;  // those of the sequences in token order, then the packed ones
  std::vector<Sequence> sequences;
};

Units cut(const Batch& batch, const UnitOptions& options);

}  // namespace cpbench::fcp
