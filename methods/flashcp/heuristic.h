// FlashCP's heuristic: which part of which document goes to which rank.
//
//   Batch batch{.document_lengths = {10, 3, 3}};
//   Shards shards = place(batch.document_lengths, 4, Visibility(batch), {.ratio = 1.05});
//
// Every rank gets floor(T/N) or ceil(T/N) tokens. A pure function in 64-bit integers: the same
// lengths give the same shards everywhere. Ties go to the smaller document or rank index.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

enum class Mode : uint8_t {
  hybrid,     // the longest documents Per-Doc, as few as the ratio allows; the rest Whole-Doc
  whole_doc,  // no document Per-Doc, whatever the imbalance
  per_doc,    // every document Per-Doc
};

struct HeuristicOptions {
  double ratio = 1.05;  // R, the largest imbalance (max / mean work) that ends the search; >= 1
  bool rotate = false;
  Mode mode = Mode::hybrid;
};

// `documents`: lengths in tokens, each >= 1. `ranks` >= 1. Returns normal form.
Shards place(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
             const HeuristicOptions& options);

}  // namespace cpbench::flashcp
