#include "methods/fcp/schedule.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "harness/strategy/sharding.h"
#include "methods/fcp/agenda.h"
#include "methods/fcp/colouring.h"
#include "methods/fcp/permute.h"
#include "methods/fcp/random.h"

namespace cpbench::fcp {
namespace {

// The paper's evaluation has blocks of this size, with which kernels are efficient.
constexpr int64_t kEfficientBlock = 4096;

// Each rank sends one transfer per sub-stage, in a random order of its own. How many it receives is
// left to chance.
void in_random_order(Schedule& schedule, bool stage_each, uint64_t seed) {
  std::vector<int32_t> order(schedule.needs.transfers.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<int32_t> sent(schedule.home.size(), 0);
  for (int32_t i : order) {
    const int32_t substage = sent[schedule.needs.transfers[i].from]++;
    schedule.slots[i] = stage_each ? Slot{substage, 0} : Slot{0, substage};
    schedule.stages = std::max(schedule.stages, schedule.slots[i].stage + 1);
    schedule.substages_per_stage =
        std::max(schedule.substages_per_stage, schedule.slots[i].substage + 1);
  }
}

// The order in which transfers choose their stages. Without deduplication, those with the least
// choice come first: all transfers bring about equal work, and a job with few transfers has few
// stages. With deduplication a job is all units of a sequence on its rank, and only turns count.
std::vector<int32_t> order_of_choice(const Needs& needs, const std::vector<double>& turn,
                                     bool deduplicated) {
  std::vector<int32_t> transfers_of(needs.jobs.size(), 0);
  for (const Transfer& t : needs.transfers) ++transfers_of[t.job];
  const auto key = [&](int32_t i) {
    const int32_t job = deduplicated ? 0 : needs.transfers[i].job;
    return std::tuple(transfers_of[job], job, turn[i]);
  };
  std::vector<int32_t> order(needs.transfers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return key(a) < key(b); });
  return order;
}

void by_colour(Schedule& schedule, int32_t coalesce) {
  const Needs& needs = schedule.needs;
  const auto ranks = static_cast<int32_t>(schedule.home.size());
  const std::vector<double> turn = turns(needs, schedule.sets, ranks);
  const std::vector<int32_t> order = order_of_choice(needs, turn, schedule.deduplicated);
  std::vector<Edge> edges;
  edges.reserve(order.size());
  for (int32_t i : order) {
    const Transfer& t = needs.transfers[i];
    edges.push_back({t.from, t.to, static_cast<int32_t>(turn[i] * schedule.degree) / coalesce});
  }
  const Colouring colouring = colour_edges(edges, ranks, coalesce);
  for (size_t e = 0; e < edges.size(); ++e) {
    schedule.slots[order[e]] = {colouring.colour[e] / coalesce, colouring.colour[e] % coalesce};
  }
  schedule.stages = (colouring.colours + coalesce - 1) / coalesce;
  schedule.substages_per_stage = std::min(coalesce, std::max(colouring.colours, 1));
}

}  // namespace

int64_t block_for_overlap(const Problem& problem) {
  const Cluster& cluster = problem.cluster;
  const double link =
      cluster.nodes > 1 ? cluster.inter_node_bytes_per_second : cluster.intra_node_bytes_per_second;
  if (link <= 0 || cluster.peak_flops_per_second <= 0) return 0;
  // Two units have block^2 / 2 pairs with each other, and a pair is 2 (D + Dv) FLOPs of each query
  // head. K,V of a unit are block (D + Dv) elements of each KV head. D + Dv cancels out.
  const AttentionShape& shape = problem.shape;
  const double enough = cluster.peak_flops_per_second / link *
                        static_cast<double>(bytes_of(shape.dtype)) * shape.kv_heads /
                        shape.query_heads;
  int64_t block = 1;
  while (block < problem.tokens() && static_cast<double>(block) < enough) block *= 2;
  return block;
}

int64_t block_tokens(const Problem& problem, const FcpOptions& options) {
  if (options.block_tokens > 0) return options.block_tokens;
  const int64_t eighth = problem.tokens() / (8 * int64_t{problem.ranks()});
  return std::clamp<int64_t>(std::max(kEfficientBlock, block_for_overlap(problem)), 1,
                             std::max<int64_t>(eighth, 1));
}

Schedule make_schedule(const Problem& problem, const FcpOptions& options) {
  const int32_t ranks = problem.ranks();
  const int64_t tokens = problem.tokens();
  Schedule schedule;
  schedule.reshuffled = options.reshuffle;
  for (const Ranges& shard : contiguous_shards(tokens, ranks)) {
    schedule.home.push_back(options.reshuffle && !shard.empty() ? shard.front() : Range{});
  }
  const int64_t block = block_tokens(problem, options);
  schedule.deduplicated = options.deduplicate;
  schedule.units = cut(problem.batch, {block, options.shape});
  schedule.token_limit = token_limit(tokens, ranks, options.distribute.delta);
  schedule.rank_of = distribute(schedule.units.units, ranks, options.distribute);
  const Mask mask = problem.batch.mask;
  const bool causal =
      problem.batch.is_uniform() && (mask == Mask::document_causal || mask == Mask::causal);
  if (options.permute && causal) permute_units(schedule.units, ranks, schedule.rank_of);

  schedule.needs = find_needs(problem.batch, schedule.units, schedule.rank_of, schedule.home,
                              options.deduplicate, schedule.sets);
  std::vector<Edge> edges;
  edges.reserve(schedule.needs.transfers.size());
  for (const Transfer& t : schedule.needs.transfers) edges.push_back({t.from, t.to});
  schedule.degree = max_degree(edges, ranks);
  schedule.slots.resize(edges.size());
  switch (options.arm) {
    case Arm::base:
      in_random_order(schedule, false, options.seed);
      break;
    case Arm::pipelined:
      in_random_order(schedule, true, options.seed);
      break;
    case Arm::conflict_free:
      by_colour(schedule, 1);
      break;
    case Arm::coalesced:
    case Arm::reshuffle_overlapped:
      by_colour(schedule, options.coalesce);
      break;
  }
  std::vector<int32_t> stage_of;
  stage_of.reserve(edges.size());
  for (const Slot& slot : schedule.slots) stage_of.push_back(slot.stage);
  schedule.local_step = local_steps(schedule.needs, stage_of, schedule.stages, ranks);
  return schedule;
}

}  // namespace cpbench::fcp
