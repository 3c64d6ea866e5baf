// USP: Ulysses inside groups of consecutive ranks, and a zigzag ring across the groups.
#include <string>

#include "harness/strategy/grid.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// The largest degree inside a node that does not copy KV heads.
int32_t default_degree(const Problem& problem) {
  return largest_common_divisor(problem.ranks(), problem.shape.kv_heads,
                                problem.cluster.gpus_per_node);
}

Plan plan(const Problem& problem, const Options& options) {
  int64_t degree = options.integer("ulysses_degree");
  if (degree == 0) degree = default_degree(problem);
  require_head_degree(problem, degree, "ulysses_degree");
  Grid grid{.head_degree = static_cast<int32_t>(degree)};
  int32_t ring = problem.ranks() / grid.head_degree;
  grid.inner_ring = ring;
  const bool whole_pack = options.text("cut") == "pack";
  return grid_plan(problem,
                   whole_pack ? head_tail_shards(problem.tokens(), ring)
                              : new_and_cached_shards(problem.batch, ring),
                   grid);
}

}  // namespace

extern const Strategy strategy_usp = {
    .name = "usp",
    .title = "USP (Ulysses x zigzag ring)",
    .source =
        "Fang, Zhao: USP, A Unified Sequence Parallelism Approach, arXiv 2405.07719; yunchang",
    .moves =
        "Q, K, V and O by all-to-all inside groups; K, V of a part of the heads round a ring "
        "across the groups",
    .constraints =
        "ulysses_degree divides the ranks and is at most the query heads; KV heads are "
        "replicated if ulysses_degree exceeds them",
    .options = {integer_option("ulysses_degree", "0",
                               "ranks of a Ulysses group; 0: the largest common divisor of ranks "
                               "and KV heads that fits into a node",
                               0, 1 << 20),
                choice_option("cut", "pack",
                              "what is cut into the zigzag chunks of the ring: the pack, or each "
                              "document, which balances the work of packed documents",
                              {"pack", "document"})},
    .tuning = {{"ulysses_degree", {"1", "2", "4", "8"}}, {"cut", {"document"}}},
    .plan = plan,
};

}  // namespace cpbench
