// Which keys travel from which rank to which others in a placement.
//
//   padded  every rank sends the tokens that some other rank sees to all of them: one all-gather in
//           which every block is padded to the longest (the paper's way)
//   exact   every token goes only to the ranks that see it: an all-to-all-v, written as multicasts
//   of
//           the tokens that have the same destinations
//
// Positions are those of the pack; `starts` has the first token of each document.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

// The tokens of each rank that some other rank sees.
std::vector<Ranges> sent_tokens(const Shards& shards, const std::vector<int64_t>& starts,
                                int32_t ranks, const Visibility& sees);

struct Multicast {
  int32_t from = 0;
  Ranges to;  // ranks; may contain `from`, which does not send to itself
  Range tokens;
};

// In token order; every token appears at most once.
std::vector<Multicast> exact_multicasts(const Shards& shards, const std::vector<int64_t>& documents,
                                        const std::vector<int64_t>& starts, const Visibility& sees);

}  // namespace cpbench::flashcp
