// DeepSpeed-Ulysses: an all-to-all turns token shards into head shards, each rank attends whole
// documents for its part of the heads, and another all-to-all returns the output.
#include "harness/strategy/head_group.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options&) {
  const int32_t ranks = problem.ranks();
  PlanBuilder b(problem);
  PassBuilder forward = b.forward(), backward = b.backward();
  const std::vector<Ranges> shards = contiguous_shards(problem.tokens(), ranks);
  std::vector<int32_t> everyone(ranks);
  for (int32_t rank = 0; rank < ranks; ++rank) {
    everyone[rank] = rank;
    b.home(rank, shards[rank]);
  }
  HeadGroup(b, everyone, shards, problem.shape).ulysses(b, forward, backward, 0);
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
        "there are no more ranks than query heads; KV heads are replicated if there are more "
        "ranks than KV heads",
    .options = {},
    .plan = plan,
};

}  // namespace cpbench
