// BurstAttention: a ring of rings, inside the nodes and across them. K and V go round in the
// forward pass; in the backward pass they stay, and the queries go round with all that their
// gradient needs.
#include "harness/strategy/grid.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options& options) {
  const int32_t ranks = problem.ranks();
  return grid_plan(
      problem,
      options.text("cut") == "pack" ? head_tail_shards(problem.tokens(), ranks)
                                    : new_and_cached_shards(problem.batch, ranks),
      {.inner_ring = problem.cluster.gpus_per_node, .backward = GridBackward::queries});
}

}  // namespace

extern const Strategy strategy_burst = {
    .name = "burst",
    .title = "BurstAttention (BurstEngine)",
    .source =
        "Sun et al.: BurstEngine, arXiv 2509.19836; BurstAttention, arXiv 2403.09347; "
        "MayDomine/Burst-Attention",
    .moves =
        "K, V round inner rings, and from one ring to the next; in the backward pass Q and dO "
        "instead, followed by dQ",
    .constraints = "none",
    .options = {choice_option("cut", "pack",
                              "cut the pack into 2N chunks, as upstream does, or every document",
                              {"pack", "document"})},
    .tuning = {{"cut", {"document"}}},
    .plan = plan,
};

}  // namespace cpbench
