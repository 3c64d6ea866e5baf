#include "harness/plan/set_clusters.h"

#include <algorithm>
#include <numeric>

namespace cpbench {

SetClusters::SetClusters(const RangeSets& sets) : cluster_(sets.count()) {
  struct Piece {
    int64_t begin;
    int64_t end;
    SetId set;
  };
  std::vector<Piece> pieces;
  for (SetId set = 0; set < sets.count(); ++set) {
    for (const Range& r : sets[set]) pieces.push_back({r.begin, r.end, set});
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.begin < b.begin; });

  std::iota(cluster_.begin(), cluster_.end(), 0);  // a forest: each entry is its parent
  auto root = [this](SetId set) {
    while (cluster_[set] != set) set = cluster_[set] = cluster_[cluster_[set]];
    return set;
  };
  // Every piece seen so far that ends after the begin of this piece is in the cluster of `reach`.
  Piece reach{0, 0, RangeSets::kEmpty};
  for (const Piece& piece : pieces) {
    if (piece.begin < reach.end) cluster_[root(piece.set)] = root(reach.set);
    if (piece.end > reach.end) reach = piece;
  }
  for (SetId set = 0; set < sets.count(); ++set) cluster_[set] = root(set);
}

}  // namespace cpbench
