// FlashCP's heuristic: which part of which document goes to which rank.
//
//   Batch batch{.document_lengths = {10, 3, 3}};
//   Shards shards = place(batch.document_lengths, 4, Visibility(batch), {.ratio = 1.05});
//
// Every rank gets floor(T/N) or ceil(T/N) tokens. It is a pure function in 64-bit integers, so the
// same lengths give the same shards everywhere. Ties go to the smaller index of a document or rank.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

enum class Mode : uint8_t {
  hybrid,     // the longest documents are Per-Doc where that sends less, the rest Whole-Doc
  whole_doc,  // Whole-Doc, with a larger ratio if there is no placement within the given one
  per_doc,    // every document is Per-Doc
};

struct HeuristicOptions {
  double ratio = 1.05;  // R: an imbalance (max / mean work) of at most R ends the search; >= 1
  bool rotate = false;  // see PerDocCutter
  Mode mode = Mode::hybrid;
};

// `documents` has lengths in tokens, each >= 1. `ranks` must be >= 1. Returns normal form.
Shards place(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
             const HeuristicOptions& options);

}  // namespace cpbench::flashcp
