// Halo exchange for sliding windows: contiguous shards, and each rank receives just the keys before
// its shard that the window of its queries reaches.
#include <string>

#include "baselines/magi/group_cast.h"
#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/plan/mask.h"
#include "harness/plan/names.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options&) {
  if (problem.batch.mask != Mask::sliding_window) {
    throw Unsupported("halo is for sliding windows; the mask " +
                      std::string(name_of(problem.batch.mask)) + " has none");
  }
  PlanBuilder b(problem);
  PassBuilder forward = b.forward();
  const MaskIndex mask(problem.batch);
  // 1. Rank r owns the r-th contiguous part of the pack.
  const std::vector<Ranges> shards = contiguous_shards(problem.tokens(), problem.ranks());
  for (int32_t rank = 0; rank < problem.ranks(); ++rank) b.home(rank, shards[rank]);
  for (int32_t rank = 0; rank < problem.ranks(); ++rank) {
    // 2. Step 0: its own keys, while the tails of as many predecessors as the window reaches
    // arrive.
    forward.attend(0, rank, b.home_of(rank), b.home_of(rank));
    const Ranges halo = subtract(magi::keys_seen(mask, shards[rank]), shards[rank]);
    for (int32_t owner = rank - 1; owner >= 0 && overlap(shards[owner], halo); --owner) {
      forward.send(0, owner, rank, Tensor::kv, b.tokens(intersect(shards[owner], halo)));
    }
    // 3. Step 1: those keys.
    forward.attend(1, rank, b.home_of(rank), b.tokens(halo));
  }
  // 4. dK, dV of the halo return to their owners.
  b.backward_by_return();
  return b.finish();
}

}  // namespace

extern const Strategy strategy_halo = {
    .name = "halo",
    .title = "Halo exchange for sliding windows",
    .source =
        "sliding-window context parallelism as in tenstorrent/tt-metal and "
        "XunhaoLai/ring-sliding-window-attention",
    .moves =
        "the keys before each contiguous shard that its window reaches; dK, dV of them in the "
        "backward pass",
    .constraints = "the mask is a sliding window",
    .options = {},
    .plan = plan,
};

}  // namespace cpbench
