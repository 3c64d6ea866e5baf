// Ring attention over contiguous shards of the pack, or by option of each document.
#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options& options) {
  if (options.boolean("per_document")) {
    return ring_plan(problem, per_document_shards(problem.batch, problem.ranks(), 1));
  }
  return ring_plan(problem, contiguous_shards(problem.tokens(), problem.ranks()));
}

}  // namespace

extern const Strategy strategy_ring = {
    .name = "ring",
    .title = "Ring attention",
    .source = "Liu, Zaharia, Abbeel: Ring Attention with Blockwise Transformers, arXiv 2310.01889",
    .moves =
        "all K, V of contiguous shards over N-1 hops, and again in the backward pass, followed by "
        "dK, "
        "dV in fp32",
    .constraints = "none",
    .options = {boolean_option("per_document", "false",
                               "cut every document into N contiguous chunks, instead of the pack")},
    .tuning = {{"per_document", {"true"}}},
    .plan = plan,
};

}  // namespace cpbench
