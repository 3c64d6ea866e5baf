// Deals the heads of cut documents to the ranks, as Per-Doc sharding does: a rank takes tokens from
// both ends of what is left of each head. Here the ends need not be of equal length. Tokens at the
// front of a document have little work and those at the back much, so the two lengths settle the
// tokens and the work of the rank independently.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

struct Head {
  int32_t document = 0;
  Range tokens;  // counted from the start of the document
};

// How a rank takes its tokens.
enum class Dealing : uint8_t {
  both_ends,  // a share of each head from both of its ends
  in_turn,    // from the front of one head after another: few cuts, and no choice of the work
};

// Gives rank j exactly `room[j]` tokens of the `heads`, whose tokens sum to the rooms. Adds the
// shards to `shards` and their work to `work`, which is what the ranks have already; dealt from
// both ends, the work of the ranks becomes as even as the rooms allow. Returns false, with the
// heads dealt in part, as soon as some rank exceeds `work_limit`. Both the heads and the rooms are
// used up.
bool deal(const std::vector<int64_t>& documents, const Visibility& sees, std::vector<Head>& heads,
          std::vector<int64_t>& room, std::vector<int64_t>& work, int64_t work_limit,
          Dealing dealing, Shards& shards);

}  // namespace cpbench::flashcp
