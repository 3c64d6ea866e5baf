// Megatron-LM's hybrid context parallelism. Each sequence gets the smallest power of two of ranks
// that holds it (its degree), sequences of one degree are put into buckets of equal work, and each
// bucket runs on the least busy aligned group of ranks.
#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace megatron_hybrid {
namespace {

struct Bucket {
  std::vector<int32_t> sequences;
  GroupCost::Load load;
};
using Buckets = std::map<int32_t, std::vector<Bucket>, std::greater<>>;  // by degree

// max(1, 2^ceil(log2(tokens / per_rank)))
int32_t degree_of(int64_t tokens, int64_t per_rank, int32_t ranks) {
  int64_t degree = 1;
  while (degree * per_rank < tokens) degree *= 2;
  if (degree <= ranks) return static_cast<int32_t>(degree);
  int64_t most = 1;
  while (2 * most <= ranks) most *= 2;
  throw Unsupported("a sequence of " + std::to_string(tokens) + " tokens needs " +
                    std::to_string(degree) + " ranks of " + std::to_string(per_rank) +
                    " tokens, there are " + std::to_string(ranks) + "; raise tokens_per_rank to " +
                    std::to_string((tokens + most - 1) / most));
}

// A bucket takes sequences, longest first, while its tokens fit its ranks and its work per rank is
// at most that of the largest single sequence, so that buckets of all degrees take about equally
// long.
Buckets buckets_of(const Loads& loads, int64_t per_rank, int32_t ranks, const GroupCost& cost) {
  std::vector<int32_t> degrees;
  double target = 0;
  for (const GroupCost::Load& load : loads) {
    degrees.push_back(degree_of(load.tokens, per_rank, ranks));
    target = std::max(target, cost.work_seconds(load) / degrees.back());
  }
  Buckets buckets;
  for (int32_t s : longest_first(loads)) {
    std::vector<Bucket>& list = buckets[degrees[s]];
    GroupCost::Load with = loads[s];
    if (!list.empty()) with += list.back().load;
    if (list.empty() || with.tokens > degrees[s] * per_rank ||
        cost.work_seconds(with) / degrees[s] > target) {
      list.emplace_back();
      with = loads[s];
    }
    list.back().sequences.push_back(s);
    list.back().load = with;
  }
  return buckets;
}

RingSchedule schedule(const Problem& problem, const Options& options) {
  const GroupCost cost(problem);
  const int32_t ranks = problem.ranks();
  RingSchedule out;
  std::vector<double> busy(ranks, 0);
  for (auto& [degree, buckets] : buckets_of(loads_of(sequences_of(problem.batch), cost),
                                            tokens_per_rank(options, problem), ranks, cost)) {
    for (const Bucket& bucket : buckets) {
      // An aligned group of this degree is free when the last of its ranks is.
      int32_t best = 0;
      double free_at = 0;
      for (int32_t first = 0; first + degree <= ranks; first += degree) {
        const double end = *std::max_element(busy.begin() + first, busy.begin() + first + degree);
        if (first > 0 && end >= free_at) continue;
        best = first;
        free_at = end;
      }
      const double end = free_at + cost.ring_seconds(bucket.load, degree);
      std::fill_n(busy.begin() + best, degree, end);
      out.seconds = std::max(out.seconds, end);
      std::vector<int32_t> members(degree);
      std::iota(members.begin(), members.end(), best);
      out.groups.push_back({std::move(members), bucket.sequences});
    }
  }
  return out;
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
    .options = {tokens_per_rank_option()},
    .tuning = {{"tokens_per_rank", {"4096", "8192", "16384", "32768", "65536"}}},
    .plan = plan_rings<megatron_hybrid::schedule>,
    .report = ring_report<megatron_hybrid::schedule>,
};

}  // namespace cpbench
