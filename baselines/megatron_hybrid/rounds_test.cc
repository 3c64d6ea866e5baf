#include "baselines/megatron_hybrid/rounds.h"

#include <gtest/gtest.h>

namespace cpbench::megatron_hybrid {
namespace {

using Sequences = std::vector<int32_t>;

// The sequences of each rank in each round, as upstream returns them.
std::vector<std::vector<Sequences>> on_ranks(const std::vector<int64_t>& lengths,
                                             const Limits& limits) {
  std::vector<std::vector<Sequences>> out;
  for (const Round& round : rounds_of(lengths, limits)) {
    out.emplace_back(limits.ranks);
    for (const RankGroup& group : round) {
      for (int32_t i = 0; i < group.size; ++i) out.back()[group.first + i] = group.sequences;
    }
  }
  return out;
}

// What BalancedCPScheduler.get_groups_and_subsamples returns (Megatron-LM, commit d98e8a64,
// megatron/core/pipeline_parallel/hybrid_cp_schedule.py).
TEST(MegatronHybridRounds, AgreeWithUpstream) {
  using Rounds = std::vector<std::vector<Sequences>>;
  EXPECT_EQ(on_ranks({65536}, {.ranks = 4, .tokens_per_rank = 32768}),
            (Rounds{{{0}, {0}, {0}, {0}}}));
  EXPECT_EQ(on_ranks({16, 8, 8}, {.ranks = 4, .tokens_per_rank = 4}),
            (Rounds{{{0}, {0}, {0}, {0}}, {{1}, {1}, {2}, {2}}}));
  // The second round has two sequences for one rank each, which are widened to four.
  EXPECT_EQ(on_ranks({8, 11, 17, 4, 12, 13, 20}, {.ranks = 8, .tokens_per_rank = 10}),
            (Rounds{{{6}, {6}, {2}, {2}, {5}, {5}, {4, 1}, {4, 1}},
                    {{0}, {0}, {0}, {0}, {3}, {3}, {3}, {3}}}));
  // The first round gives sequences 0 and 4 back, because it is better balanced without them.
  EXPECT_EQ(on_ranks({3, 7, 8, 9, 4}, {.ranks = 4, .tokens_per_rank = 8}),
            (Rounds{{{3}, {3}, {2}, {1}}, {{0}, {0}, {4}, {4}}}));
  // The smallest groups are widened first, and push the others on.
  EXPECT_EQ(
      on_ranks({33000, 8192, 8193}, {.ranks = 16, .tokens_per_rank = 8192}),
      (Rounds{{{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}, {2}, {2}, {2}, {2}, {1}, {1}, {1}, {1}}}));
}

TEST(MegatronHybridRounds, WithoutWideningRanksStayEmpty) {
  EXPECT_EQ(on_ranks({65536}, {.ranks = 4, .tokens_per_rank = 32768, .widen = false}),
            (std::vector<std::vector<Sequences>>{{{0}, {0}, {}, {}}}));
}

// Upstream ends with an IndexError: a pair cannot be widened onto one rank.
TEST(MegatronHybridRounds, TooFewEmptyRanksStayEmpty) {
  EXPECT_EQ(on_ranks({8, 8}, {.ranks = 5, .tokens_per_rank = 4}),
            (std::vector<std::vector<Sequences>>{{{0}, {0}, {1}, {1}, {}}}));
}

TEST(MegatronHybridRounds, RanksNeededArePowersOfTwo) {
  for (auto [tokens, ranks] : {std::pair{1, 1}, {8, 1}, {9, 2}, {16, 2}, {17, 4}, {33, 8}}) {
    EXPECT_EQ(ranks_needed(tokens, 8), ranks) << tokens;
  }
}

}  // namespace
}  // namespace cpbench::megatron_hybrid
