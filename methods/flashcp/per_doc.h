// Per-Doc sharding (WLB-LLM): a document is cut into 2N chunks, and the chunks i and 2N-1-i are on
// one rank.
//
//   PerDocCutter cutter(4, /*rotate=*/false);
//   cutter.cut(18, [](Range chunk, int32_t rank) { ... });   // 2 tokens a chunk, 3 for two of them
//
// The d mod 2N tokens that are left over go one at a time to the 2N slots of the ranks (the front
// slots of ranks 0..N-1, then the back slots of ranks N-1..0), by a pointer that continues from
// document to document. So the token counts of the ranks differ by at most one, over any number of
// documents.
#pragma once

#include <cstdint>

#include "harness/plan/range_sets.h"

namespace cpbench::flashcp {

class PerDocCutter {
 public:
  // With `rotate`, the k-th document that is cut gives its first chunk to rank k mod N, so that the
  // rank with the last chunk of a document, which never travels, changes from document to document.
  PerDocCutter(int32_t ranks, bool rotate) : ranks_(ranks), rotate_(rotate) {}

  // Calls visit(Range chunk, int32_t rank) for every chunk that is not empty, in token order.
  template <typename Visit>
  void cut(int64_t document_tokens, Visit visit) {
    const int32_t slots = 2 * ranks_;
    const int64_t base = document_tokens / slots;
    const auto left_over = static_cast<int32_t>(document_tokens % slots);
    int64_t begin = 0;
    for (int32_t chunk = 0; chunk < slots; ++chunk) {
      const bool front = chunk < ranks_;
      int32_t rank = (front ? chunk : slots - 1 - chunk) + rotation_;
      if (rank >= ranks_) rank -= ranks_;
      int32_t turn = (front ? rank : slots - 1 - rank) - next_slot_;
      if (turn < 0) turn += slots;
      const int64_t size = base + (turn < left_over ? 1 : 0);
      if (size > 0) visit(Range{begin, begin + size}, rank);
      begin += size;
    }
    next_slot_ = (next_slot_ + left_over) % slots;
    if (rotate_) rotation_ = (rotation_ + 1) % ranks_;
  }

 private:
  int32_t ranks_;
  bool rotate_;
  int32_t rotation_ = 0;
  int32_t next_slot_ = 0;
};

}  // namespace cpbench::flashcp
