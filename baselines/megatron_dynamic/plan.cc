// Megatron-LM's dynamic context parallelism of mid 2026: micro-batches of groups of ranks, where
// short sequences may join groups that are larger than they need, and no rank is left empty.
#include <algorithm>
#include <string>

#include "baselines/megatron_dynamic/micro_batches.h"
#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace megatron_dynamic {
namespace {

void require_room(const std::vector<int64_t>& lengths, const Limits& limits) {
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const int64_t needed = fewest_ranks(longest, limits);
  if (needed <= limits.ranks) return;
  int64_t most = limits.ranks;  // ranks of the largest group
  if (!limits.any_size) {
    for (most = 1; 2 * most <= limits.ranks;) most *= 2;
  }
  throw Unsupported("a sequence of " + std::to_string(longest) + " tokens needs " +
                    std::to_string(needed) + " ranks of " + std::to_string(limits.per_rank) +
                    " tokens, there are " + std::to_string(limits.ranks) +
                    "; raise tokens_per_rank to " + std::to_string((longest + most - 1) / most));
}

RingSchedule schedule(const Problem& problem, const Options& options) {
  const Limits limits{.per_rank = tokens_per_rank(options, problem),
                      .ranks = problem.ranks(),
                      .any_size = options.text("sizes") == "any"};
  const std::vector<Range> sequences = sequences_of(problem.batch);
  std::vector<int64_t> lengths;
  for (const Range& sequence : sequences) lengths.push_back(sequence.size());
  require_room(lengths, limits);

  const GroupCost cost(problem);
  const Loads loads = loads_of(sequences, cost);
  RingSchedule out;
  for (const std::vector<Group>& groups : micro_batches(lengths, limits)) {
    double seconds = 0;  // of the micro-batch: its slowest group
    for (const Group& group : groups) {
      GroupCost::Load load;
      for (const int32_t s : group.sequences) load += loads[s];
      seconds = std::max(seconds, cost.ring_seconds(load, group.degree()));
      out.groups.push_back(group);
    }
    out.seconds += seconds;
  }
  return out;
}

}  // namespace
}  // namespace megatron_dynamic

extern const Strategy strategy_megatron_dynamic = {
    .name = "megatron_dynamic",
    .title = "Megatron-LM dynamic context parallelism (2026)",
    .source =
        "NVIDIA/Megatron-LM, dynamic context parallelism: DefaultDynamicCPScheduler of pull "
        "request 5154, and groups of any size of 7097",
    .moves =
        "K, V of a micro-batch's sequences travel round rings of any size, and again in the "
        "backward pass, followed by dK, dV in fp32",
    .constraints = "the longest sequence fits tokens_per_rank on the ranks",
    .options = {tokens_per_rank_option(),
                choice_option("sizes", "any", "ranks of a group: any number, or powers of two",
                              {"any", "power_of_two"})},
    .tuning = {{"tokens_per_rank", {"4096", "8192", "16384", "32768", "65536"}}},
    .plan = plan_rings<megatron_dynamic::schedule>,
    .report = ring_report<megatron_dynamic::schedule>,
};

}  // namespace cpbench
