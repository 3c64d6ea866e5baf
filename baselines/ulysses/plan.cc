// DeepSpeed-Ulysses: an all-to-all turns token shards into head shards, each rank attends whole
// documents for H/N heads, and another all-to-all returns the output.
#include <string>

#include "harness/strategy/head_group.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options&) {
  const int32_t heads = problem.shape.query_heads, ranks = problem.ranks();
  if (heads % ranks != 0) {
    throw Unsupported(std::to_string(heads) + " query heads do not divide over " +
                      std::to_string(ranks) + " ranks");
  }
  PlanBuilder b(problem);
  PassBuilder forward = b.forward(), backward = b.backward();
  const std::vector<Ranges> shards = contiguous_shards(problem.tokens(), ranks);
  std::vector<int32_t> everyone(ranks);
  for (int32_t rank = 0; rank < ranks; ++rank) {
    everyone[rank] = rank;
    b.home(rank, shards[rank]);
  }
  HeadGroup(b, everyone, shards, heads).ulysses(b, forward, backward, 0);
  return b.finish();
}

}  // namespace

extern const Strategy strategy_ulysses = {
    .name = "ulysses",
    .title = "DeepSpeed-Ulysses",
    .source = "DeepSpeed Ulysses, arXiv 2309.14509",
    .moves =
        "Q, K, V from token to head shards and O back, by all-to-all; in the backward pass dO, "
        "then dQ, dK, dV",
    .constraints =
        "the ranks divide the query heads; KV heads are replicated if there are more ranks",
    .options = {},
    .plan = plan,
};

}  // namespace cpbench
