// Chooses between passing KV and passing Q round the ring by what is cheaper to hide or to send.
#include <algorithm>

#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// The paper's rule: pass KV if either threshold is reached.
struct Choice {
  double new_tokens = 0;
  double new_share = 0;         // T / (T + P)
  double hiding_threshold = 0;  // new tokens whose attention hides the KV; 0: unknown
  double share_threshold = 0;   // where K, V of all tokens weigh no more than Q of the new ones

  bool pass_kv() const {
    return (hiding_threshold > 0 && new_tokens >= hiding_threshold) || new_share >= share_threshold;
  }
};

// Of the slowest link that the ring has; 0: unknown.
double ring_bytes_per_second(const Cluster& cluster) {
  if (cluster.nodes == 1) return cluster.intra_node_bytes_per_second;
  if (cluster.gpus_per_node == 1) return cluster.inter_node_bytes_per_second;
  return std::min(cluster.intra_node_bytes_per_second, cluster.inter_node_bytes_per_second);
}

Choice choose(const Problem& problem) {
  const AttentionShape& shape = problem.shape;
  Choice choice;
  choice.new_tokens = static_cast<double>(problem.batch.new_tokens());
  choice.new_share = choice.new_tokens / static_cast<double>(problem.tokens());
  choice.share_threshold = 2.0 * shape.kv_heads / shape.query_heads;
  double bandwidth = ring_bytes_per_second(problem.cluster);
  if (bandwidth > 0) {
    choice.hiding_threshold = problem.ranks() * problem.cluster.peak_flops_per_second *
                              shape.kv_heads * static_cast<double>(bytes_of(shape.dtype)) /
                              (2.0 * shape.query_heads * bandwidth);
  }
  return choice;
}

Plan plan(const Problem& problem, const Options&) {
  std::vector<Ranges> shards = new_and_cached_shards(problem.batch, problem.ranks());
  return choose(problem).pass_kv() ? ring_plan(problem, shards) : query_ring_plan(problem, shards);
}

std::vector<Fact> facts(const Problem& problem, const Options&) {
  Choice choice = choose(problem);
  return {{"passes_q", choice.pass_kv() ? 0.0 : 1.0, "1"},
          {"new_tokens", choice.new_tokens, "tokens"},
          {"new_tokens_to_pass_kv", choice.hiding_threshold, "tokens"},
          {"new_share", choice.new_share, "1"},
          {"new_share_to_pass_kv", choice.share_threshold, "1"}};
}

}  // namespace

extern const Strategy strategy_pass_auto = {
    .name = "pass_auto",
    .title = "Pass-KV or pass-Q ring attention",
    .source =
        "Yang et al.: Context Parallelism for Scalable Million-Token Inference, arXiv "
        "2411.01783",
    .moves = "as pass_q, or all K, V as ring: whichever the paper's rule says",
    .constraints = "none",
    .options = {},
    .plan = plan,
    .facts = facts,
};

}  // namespace cpbench
