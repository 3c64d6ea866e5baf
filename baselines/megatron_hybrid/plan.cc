// Megatron-LM's hybrid context parallelism. Each sequence gets the smallest power of two of ranks
// that holds it. Rounds put groups of different sizes side by side, and groups are widened onto
// ranks that would stay empty.
#include <algorithm>
#include <numeric>
#include <string>

#include "baselines/megatron_hybrid/rounds.h"
#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace megatron_hybrid {
namespace {

void require_room(int64_t tokens, const Limits& limits) {
  const int64_t needed = ranks_needed(tokens, limits.tokens_per_rank);
  if (needed <= limits.ranks) return;
  int64_t most = 1;
  while (2 * most <= limits.ranks) most *= 2;
  throw Unsupported("a sequence of " + std::to_string(tokens) + " tokens needs " +
                    std::to_string(needed) + " ranks of " + std::to_string(limits.tokens_per_rank) +
                    " tokens, there are " + std::to_string(limits.ranks) +
                    "; raise tokens_per_rank to " + std::to_string((tokens + most - 1) / most));
}

// Every sequence runs by itself, in a ring of the ranks of its group.
RingSchedule schedule(const Problem& problem, const Options& options) {
  const Limits limits{.ranks = problem.ranks(),
                      .tokens_per_rank = tokens_per_rank(options, problem),
                      .widen = options.boolean("widen")};
  const std::vector<Range> sequences = sequences_of(problem.batch);
  std::vector<int64_t> lengths;
  for (const Range& sequence : sequences) lengths.push_back(sequence.size());
  require_room(*std::max_element(lengths.begin(), lengths.end()), limits);

  const GroupCost cost(problem);
  RingSchedule out;
  std::vector<double> busy(limits.ranks, 0);
  for (const Round& round : rounds_of(lengths, limits)) {
    for (const RankGroup& group : round) {
      std::vector<int32_t> ranks(group.size);
      std::iota(ranks.begin(), ranks.end(), group.first);
      const auto first = busy.begin() + group.first, last = first + group.size;
      for (const int32_t s : group.sequences) {
        const double end = *std::max_element(first, last) +
                           cost.ring_seconds(cost.load_of(sequences[s]), group.size);
        std::fill(first, last, end);
        out.seconds = std::max(out.seconds, end);
        out.groups.push_back({ranks, {s}});
      }
    }
  }
  return out;
}

std::vector<OptionSpec> option_specs() {
  return {tokens_per_rank_option(),
          boolean_option("widen", "true",
                         "widen groups onto ranks that would have no work in a round")};
}

}  // namespace
}  // namespace megatron_hybrid

extern const Strategy strategy_megatron_hybrid = {
    .name = "megatron_hybrid",
    .title = "Megatron-LM hybrid context parallelism",
    .source = "NVIDIA/Megatron-LM, hybrid (dynamic) context parallelism: BalancedCPScheduler",
    .moves =
        "K, V of sequences longer than tokens_per_rank travel round a ring of a power of two of "
        "ranks, and again in the backward pass, followed by dK, dV in fp32",
    .constraints = "the longest sequence fits tokens_per_rank on a power of two of the ranks",
    .options = megatron_hybrid::option_specs(),
    .tuning = {{"tokens_per_rank", {"4096", "8192", "16384", "32768", "65536"}}},
    .plan = plan_rings<megatron_hybrid::schedule>,
    .report = ring_report<megatron_hybrid::schedule>,
};

}  // namespace cpbench
