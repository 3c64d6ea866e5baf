// Which keys travel from which rank to which others, for a placement.
//
//   padded  every rank sends the tokens that some other rank sees to all of them: one all-gather,
//           every block padded to the longest (the paper's)
//   exact   every token goes to just those ranks that see it: an all-to-all-v, written as
//           multicasts of the tokens that have the same destinations
//
// Positions are those of the pack; `starts` are the documents' first tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

// Per rank, the tokens that some other rank sees.
std::vector<Ranges> sent_tokens(const Shards& shards, const std::vector<int64_t>& starts,
                                int32_t ranks, const Visibility& sees);

struct Multicast {
  int32_t from = 0;
  Ranges to;  // ranks; may hold `from`, which does not send to itself
  Range tokens;
};

// Every token appears at most once. In token order.
std::vector<Multicast> exact_multicasts(const Shards& shards, const std::vector<int64_t>& documents,
                                        const std::vector<int64_t>& starts, const Visibility& sees);

}  // namespace cpbench::flashcp
