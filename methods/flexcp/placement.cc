#include "methods/flexcp/placement.h"

#include <algorithm>

#include "harness/strategy/order.h"

namespace cpbench::flexcp {
namespace {

class Nodes {
 public:
  explicit Nodes(const Cluster& cluster)
      : size_(cluster.gpus_per_node), free_(cluster.nodes, cluster.gpus_per_node) {}

  std::vector<int32_t> take(int32_t ranks) {
    std::vector<int32_t> taken;
    while (ranks > 0) {
      // The fullest node that has room for all of it, else the emptiest node.
      const int32_t wanted = std::min(ranks, size_);
      int32_t best = -1, emptiest = 0;
      for (int32_t node = 0; node < static_cast<int32_t>(free_.size()); ++node) {
        if (free_[node] >= wanted && (best < 0 || free_[node] < free_[best])) best = node;
        if (free_[node] > free_[emptiest]) emptiest = node;
      }
      if (best < 0) best = emptiest;
      for (int32_t i = std::min(wanted, free_[best]); i > 0; --i) {
        taken.push_back((best + 1) * size_ - free_[best]--);
        --ranks;
      }
    }
    std::sort(taken.begin(), taken.end());
    return taken;
  }

 private:
  int32_t size_;
  std::vector<int32_t> free_;  // how many of the last ranks of each node are free
};

}  // namespace

std::vector<std::vector<int32_t>> place(const std::vector<int32_t>& degrees,
                                        const Cluster& cluster) {
  Nodes nodes(cluster);
  std::vector<std::vector<int32_t>> ranks(degrees.size());
  for (int32_t i : largest_first(degrees.size(), [&](int32_t i) { return degrees[i]; })) {
    ranks[i] = nodes.take(degrees[i]);
  }
  return ranks;
}

}  // namespace cpbench::flexcp
