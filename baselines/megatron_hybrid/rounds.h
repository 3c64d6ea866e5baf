// The schedule of Megatron-LM's BalancedCPScheduler: in which round, on which ranks and in which
// order sequences run.
//
//   rounds_of({16, 8, 8}, {.ranks = 4, .tokens_per_rank = 4, .widen = true})
//       // one round with sequence 0 on ranks 0-3, then one with 1 on ranks 0-1 and 2 on ranks 2-3
//
// A sequence has the smallest power of two of ranks that holds it, and its work on each of them is
// estimated as tokens^2 / ranks. All groups of a round run at the same time.
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench::megatron_hybrid {

struct RankGroup {
  int32_t first = 0;                 // rank; the others follow it
  int32_t size = 0;                  // in ranks
  double work = 0;                   // of each rank, before it was widened
  std::vector<int32_t> sequences{};  // they run one after another
};
using Round = std::vector<RankGroup>;  // in the order of their ranks

struct Limits {
  int32_t ranks = 1;
  int64_t tokens_per_rank = 1;  // that a rank holds of one sequence
  bool widen = true;            // groups onto ranks that would stay empty
};

// max(1, 2^ceil(log2(tokens / tokens_per_rank)))
int64_t ranks_needed(int64_t tokens, int64_t tokens_per_rank);

// Every sequence must fit the ranks. A round goes through the sequences, longest first, until no
// group has room, or until the ranks are balanced within 5% after a sequence that needs fewer ranks
// than the first; it then gives back the last sequences of the group with the most work while that
// improves the balance. Widening doubles the first of the smallest groups, until no rank is empty
// or the empty ranks are not enough for that.
std::vector<Round> rounds_of(const std::vector<int64_t>& lengths, const Limits& limits);

}  // namespace cpbench::megatron_hybrid
