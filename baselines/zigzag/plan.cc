// Ring attention over zigzag shards: rank i owns chunks i and 2N-1-i of every document.
#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options&) {
  return ring_plan(problem, new_and_cached_shards(problem.batch, problem.ranks()));
}

}  // namespace

extern const Strategy strategy_zigzag = {
    .name = "zigzag",
    .title = "Zigzag ring attention",
    .source =
        "zhuzilin/ring-flash-attention (zigzag, varlen) and TransformerEngine's load-balanced "
        "context parallelism",
    .moves = "as ring, with two mirrored chunks of every document on each rank",
    .constraints = "none",
    .options = {},
    .plan = plan,
};

}  // namespace cpbench
