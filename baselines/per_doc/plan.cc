// WLB-LLM's per-document sharding: every document in 2N chunks, all K, V gathered on every rank.
#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options& options) {
  return all_gather_plan(problem, new_and_cached_shards(problem.batch, problem.ranks()),
                         all_gather_options(options, problem.shape));
}

}  // namespace

extern const Strategy strategy_per_doc = {
    .name = "per_doc",
    .title = "Per-document all-gather (WLB-LLM Per-Doc)",
    .source = "WLB-LLM: Workload-Balanced 4D Parallelism for LLM Training, arXiv 2503.17924",
    .moves = "all K, V in one all-gather; backward one reduce-scatter of dK, dV",
    .constraints = "KV heads divisible by head_groups",
    .options = all_gather_option_specs(),
    .plan = plan,
};

}  // namespace cpbench
