// WLB-LLM's per-document sharding: every document is cut into 2N chunks, and all K, V is gathered
// on every rank.
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
    .moves = "as allgather, with every document cut over all ranks",
    .constraints = "head_groups divides the KV heads",
    .options = all_gather_option_specs(),
    .tuning = {{"head_groups", {"2", "4"}}},
    .plan = plan,
};

}  // namespace cpbench
