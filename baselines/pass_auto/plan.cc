// Chooses between passing KV and passing Q round the ring, by what is cheaper to hide or to send.
#include <algorithm>

#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// The paper's rule (section 3.4, Algorithm 1, or Algorithm 5 of its Appendix C): pass KV if either
// threshold is reached.
struct Choice {
  double new_tokens = 0;
  double new_share = 0;         // T / (T + P)
  double hiding_threshold = 0;  // new tokens whose attention hides KV; 0 if unknown
  // Algorithm 1: the share at which K, V of all tokens are no larger than Q of the new ones.
  // Algorithm 5: the share at which the part of K, V that attention does not hide takes no longer
  // than the return of partial outputs.
  double share_threshold = 0;

  bool pass_kv() const {
    return (hiding_threshold > 0 && new_tokens >= hiding_threshold) || new_share >= share_threshold;
  }
};

// Bandwidth of the ring's slowest link; 0 if unknown.
double ring_bytes_per_second(const Cluster& cluster) {
  if (cluster.nodes == 1) return cluster.intra_node_bytes_per_second;
  if (cluster.gpus_per_node == 1) return cluster.inter_node_bytes_per_second;
  return std::min(cluster.intra_node_bytes_per_second, cluster.inter_node_bytes_per_second);
}

Choice choose(const Problem& problem, const Options& options) {
  const AttentionShape& shape = problem.shape;
  Choice choice;
  choice.new_tokens = static_cast<double>(problem.batch.new_tokens());
  choice.new_share = choice.new_tokens / static_cast<double>(problem.tokens());
  choice.share_threshold = 2.0 * shape.kv_heads / shape.query_heads;
  const double bandwidth = ring_bytes_per_second(problem.cluster);
  const double flops = problem.cluster.peak_flops_per_second;
  if (bandwidth == 0 || flops == 0) return choice;
  // N C e / BW: Equations 2 and 5 of the paper are multiples of it.
  const double per_share =
      problem.ranks() * flops * static_cast<double>(bytes_of(shape.dtype)) / bandwidth;
  choice.hiding_threshold = per_share * shape.kv_heads / (2.0 * shape.query_heads);
  if (options.text("rule") == "algorithm_5") {
    choice.share_threshold -= 4 * choice.new_tokens / per_share;
  }
  return choice;
}

Plan plan(const Problem& problem, const Options& options) {
  std::vector<Ranges> shards = new_and_cached_shards(problem.batch, problem.ranks());
  return choose(problem, options).pass_kv() ? ring_plan(problem, shards)
                                            : query_ring_plan(problem, shards);
}

std::vector<ReportedValue> report(const Problem& problem, const Options& options) {
  Choice choice = choose(problem, options);
  return {{"passes_q", choice.pass_kv() ? 0.0 : 1.0, ""},
          {"new_tokens", choice.new_tokens, "tokens"},
          {"new_tokens_to_pass_kv", choice.hiding_threshold, "tokens"},
          {"new_share", choice.new_share, ""},
          {"new_share_to_pass_kv", choice.share_threshold, ""}};
}

}  // namespace

extern const Strategy strategy_pass_auto = {
    .name = "pass_auto",
    .title = "Pass-KV or pass-Q ring attention",
    .source =
        "Yang et al.: Context Parallelism for Scalable Million-Token Inference, arXiv "
        "2411.01783",
    .moves = "what pass_q moves, or all K, V round a ring, as the paper's rule decides",
    .constraints = "none",
    .options = {choice_option(
        "rule", "algorithm_1",
        "the rule of the paper; algorithm_5 also counts the return of partial outputs",
        {"algorithm_1", "algorithm_5"})},
    .tuning = {{"rule", {"algorithm_5"}}},
    .plan = plan,
    .report = report,
};

}  // namespace cpbench
