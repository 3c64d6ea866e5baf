#include "harness/plan/set_clusters.h"

#include <numeric>

#include "harness/plan/pieces.h"

namespace cpbench {

SetClusters::SetClusters(const RangeSets& sets) : cluster_(sets.count()) {
  std::iota(cluster_.begin(), cluster_.end(), 0);  // a forest: each entry is its parent
  auto root = [this](SetId set) {
    while (cluster_[set] != set) set = cluster_[set] = cluster_[cluster_[set]];
    return set;
  };
  std::vector<SetId> all(sets.count());
  std::iota(all.begin(), all.end(), 0);
  // Every piece seen so far that ends after the begin of this piece is in the cluster of `reach`.
  Piece reach{{0, 0}, RangeSets::kEmpty};
  for_each_piece(sets, all, [&](const Piece& piece) {
    if (piece.range.begin < reach.range.end) cluster_[root(piece.set)] = root(reach.set);
    if (piece.range.end > reach.range.end) reach = piece;
  });
  for (SetId set = 0; set < sets.count(); ++set) cluster_[set] = root(set);
}

}  // namespace cpbench
