// Ring attention in which the queries travel and KV stays, for few new tokens on a long cache.
#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options&) {
  return query_ring_plan(problem, new_and_cached_shards(problem.batch, problem.ranks()));
}

}  // namespace

extern const Strategy strategy_pass_q = {
    .name = "pass_q",
    .title = "Pass-Q ring attention",
    .source =
        "Yang et al.: Context Parallelism for Scalable Million-Token Inference, arXiv "
        "2411.01783",
    .moves =
        "all new Q over N-1 hops, and partial O home in one exchange; in the backward pass Q and "
        "dO, then dQ",
    .constraints = "none",
    .options = {},
    .moves_keys = false,
    .plan = plan,
};

}  // namespace cpbench
