// LoongTrain: 2D attention over a grid of head ranks x context ranks, with a ring of rings across
// the context.
#include <algorithm>
#include <cmath>
#include <string>

#include "harness/strategy/grid.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// The grid is as square as the KV heads allow without copies, with head groups inside a node.
int32_t default_head_size(const Problem& problem) {
  int32_t square = static_cast<int32_t>(std::sqrt(static_cast<double>(problem.ranks())));
  return largest_common_divisor(problem.ranks(), problem.shape.kv_heads,
                                std::min(square, problem.cluster.gpus_per_node));
}

// The context ranks of one node, as far as they divide the context degree.
int32_t default_window_size(const Problem& problem, const Grid& grid, int32_t contexts) {
  bool head_first = grid.placement == GridPlacement::head_first;
  int32_t in_a_node = problem.cluster.gpus_per_node / (head_first ? grid.head_degree : 1);
  return largest_common_divisor(contexts, contexts, in_a_node);
}

Plan plan(const Problem& problem, const Options& options) {
  int64_t head_size = options.integer("head_size");
  if (head_size == 0) head_size = default_head_size(problem);
  require_head_degree(problem, head_size, "head_size");
  bool head_first = options.text("placement") == "head_first";
  Grid grid{
      .head_degree = static_cast<int32_t>(head_size),
      .placement = head_first ? GridPlacement::head_first : GridPlacement::context_first,
  };
  int32_t contexts = problem.ranks() / grid.head_degree;
  int64_t window_size = options.integer("window_size");
  if (window_size == 0) window_size = default_window_size(problem, grid, contexts);
  if (contexts % window_size != 0) {
    throw Unsupported("window_size " + std::to_string(window_size) + " does not divide the " +
                      std::to_string(contexts) + " context ranks (" +
                      std::to_string(problem.ranks()) + " ranks / head_size " +
                      std::to_string(head_size) + ")");
  }
  grid.inner_ring = static_cast<int32_t>(window_size);
  return grid_plan(problem, new_and_cached_shards(problem.batch, contexts), grid);
}

}  // namespace

extern const Strategy strategy_loongtrain = {
    .name = "loongtrain",
    .title = "LoongTrain (2D attention, double ring)",
    .source =
        "Gu et al.: LoongTrain, Efficient Training of Long-Sequence LLMs with Head-Context "
        "Parallelism, arXiv 2406.18485; InternLM/InternEvo",
    .moves =
        "Q, K, V and O by all-to-all in head groups; K, V of a part of the heads round inner "
        "rings, and from one ring to the next",
    .constraints =
        "head_size divides the ranks and is at most the query heads, and window_size divides "
        "the context ranks; KV heads are replicated if head_size exceeds them",
    .options = {integer_option("head_size", "0",
                               "ranks of a head group; 0: the largest common divisor of ranks and "
                               "KV heads up to the square root of the ranks that fits into a node",
                               0, 1 << 20),
                integer_option("window_size", "0",
                               "context ranks of an inner ring; 0: the context ranks of one node",
                               0, 1 << 20),
                choice_option("placement", "head_first",
                              "whether consecutive ranks form a head group or a context ring",
                              {"head_first", "context_first"})},
    .tuning = {{"head_size", {"1", "2", "4", "8"}}, {"placement", {"context_first"}}},
    .plan = plan,
};

}  // namespace cpbench
