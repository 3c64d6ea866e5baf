#include "methods/fcp/schedule.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "harness/strategy/sharding.h"
#include "methods/fcp/colouring.h"
#include "methods/fcp/permute.h"
#include "methods/fcp/random.h"

namespace cpbench::fcp {
namespace {

// Each rank receives one transfer per stage, in an order of its own.
void in_random_order(Schedule& schedule, uint64_t seed) {
  std::vector<int32_t> order(schedule.needs.transfers.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<int32_t> received(schedule.home.size(), 0);
  for (int32_t i : order) {
    const int32_t stage = received[schedule.needs.transfers[i].to]++;
    schedule.slots[i] = {stage, 0};
    schedule.stages = std::max(schedule.stages, stage + 1);
  }
}

void by_colour(Schedule& schedule, const std::vector<Edge>& edges, int32_t coalesce) {
  const Colouring colouring = colour_edges(edges, static_cast<int32_t>(schedule.home.size()));
  for (size_t i = 0; i < edges.size(); ++i) {
    schedule.slots[i] = {colouring.colour[i] / coalesce, colouring.colour[i] % coalesce};
  }
  schedule.stages = (colouring.colours + coalesce - 1) / coalesce;
  schedule.substages_per_stage = std::min(coalesce, std::max(colouring.colours, 1));
}

}  // namespace

int64_t default_block_tokens(int64_t tokens, int32_t ranks) {
  return std::clamp<int64_t>(tokens / (8 * int64_t{ranks}), 1, 4096);
}

Schedule make_schedule(const Problem& problem, const FcpOptions& options) {
  const int32_t ranks = problem.ranks();
  const int64_t tokens = problem.tokens();
  Schedule schedule;
  for (const Ranges& shard : contiguous_shards(tokens, ranks)) {
    schedule.home.push_back(shard.empty() ? Range{} : shard.front());
  }
  const int64_t block =
      options.block_tokens > 0 ? options.block_tokens : default_block_tokens(tokens, ranks);
  schedule.units = cut(problem.batch, {block, options.shape});
  schedule.token_limit = token_limit(tokens, ranks, options.distribute.delta);
  schedule.rank_of = distribute(schedule.units.units, ranks, options.distribute);
  const bool causal =
      problem.batch.mask == Mask::document_causal || problem.batch.mask == Mask::causal;
  if (options.permute && causal) permute_units(schedule.units, ranks, schedule.rank_of);

  schedule.needs = find_needs(MaskIndex(problem.batch), schedule.units, schedule.rank_of,
                              schedule.home, options.deduplicate, schedule.sets);
  std::vector<Edge> edges;
  edges.reserve(schedule.needs.transfers.size());
  for (const Transfer& t : schedule.needs.transfers) edges.push_back({t.from, t.to});
  schedule.degree = max_degree(edges, ranks);
  schedule.slots.resize(edges.size());
  switch (options.arm) {
    case Arm::base:
      schedule.stages = edges.empty() ? 0 : 1;
      break;
    case Arm::pipelined:
      in_random_order(schedule, options.seed);
      break;
    case Arm::conflict_free:
      by_colour(schedule, edges, 1);
      break;
    case Arm::coalesced:
    case Arm::reshuffle_overlapped:
      by_colour(schedule, edges, options.coalesce);
      break;
  }
  return schedule;
}

}  // namespace cpbench::fcp
