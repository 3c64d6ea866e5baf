#include "tests/contract/two_level.h"

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/strategy/sharding.h"

namespace cpbench::contract {
namespace {

Plan plan(const Problem& problem, bool gradients_cross_nodes) {
  const int32_t nodes = problem.cluster.nodes, gpus = problem.cluster.gpus_per_node;
  if (problem.tokens() < problem.ranks()) throw Unsupported("fewer tokens than ranks");
  PlanBuilder b(problem);
  PassBuilder forward = b.forward(), backward = b.backward();
  const std::vector<Ranges> shards = contiguous_shards(problem.tokens(), problem.ranks());
  for (int32_t rank = 0; rank < problem.ranks(); ++rank) b.home(rank, shards[rank]);
  for (int32_t node = 0; node < nodes; ++node) {
    const int32_t first = node * gpus;
    const SetId here = b.ranks({{first, first + gpus}});
    for (int32_t hop = 0; hop < nodes; ++hop) {
      // In this step the node shares the KV of the node that is `hop` before it in the ring.
      const int32_t first_owner = (node - hop + nodes) % nodes * gpus;
      const SetId keys = b.tokens(
          Range{shards[first_owner].front().begin, shards[first_owner + gpus - 1].back().end});
      for (int32_t gpu = 0; gpu < gpus; ++gpu) {
        const int32_t rank = first + gpu, owner = first_owner + gpu;
        const SetId shard = b.home_of(owner);
        if (gpus > 1) forward.multicast(hop, rank, here, Tensor::kv, shard);
        if (hop + 1 < nodes) {
          forward.send(hop, rank, (rank + gpus) % problem.ranks(), Tensor::kv, shard);
        }
        forward.attend(hop + 1, rank, b.home_of(rank), keys);
        backward.attend(0, rank, b.home_of(rank), keys);
        if (gpus > 1) backward.reduce(1, here, rank, Tensor::dkv, shard);
        if (gradients_cross_nodes) backward.send(2, rank, owner, Tensor::dkv, shard);
        for (int32_t reader = first; reader < first + gpus; ++reader) {
          if (reader != owner) b.keep(reader, Tensor::kv, shard);
        }
      }
    }
  }
  return b.finish();
}

}  // namespace

Plan two_level_plan(const Problem& problem) { return plan(problem, true); }

Plan wrong_two_level_plan(const Problem& problem) { return plan(problem, false); }

}  // namespace cpbench::contract
