#include "methods/flexcp/placement.h"

#include <gtest/gtest.h>

#include <set>

#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

using Lists = std::vector<std::vector<int32_t>>;

Cluster nodes_of(int32_t nodes, int32_t gpus) { return {.nodes = nodes, .gpus_per_node = gpus}; }

TEST(FlexcpPlacement, LargestFirstAndInsideANode) {
  EXPECT_EQ(place({1, 4, 3}, nodes_of(2, 4)), (Lists{{7}, {0, 1, 2, 3}, {4, 5, 6}}));
  // 5 takes a whole node and one rank of the next; 3 fill that one.
  EXPECT_EQ(place({3, 5}, nodes_of(2, 4)), (Lists{{5, 6, 7}, {0, 1, 2, 3, 4}}));
  // Nowhere three in one node: two and one.
  EXPECT_EQ(place({3, 3, 2}, nodes_of(2, 4)), (Lists{{0, 1, 2}, {4, 5, 6}, {3, 7}}));
}

TEST(FlexcpPlacement, AnyDegreesGetDistinctRanks) {
  Random random(7);
  for (int i = 0; i < 500; ++i) {
    const Cluster cluster = nodes_of(static_cast<int32_t>(random.between(1, 6)),
                                     static_cast<int32_t>(random.between(1, 9)));
    std::vector<int32_t> degrees;
    for (int32_t left = cluster.ranks(); left > 0;) {
      const auto degree = static_cast<int32_t>(random.between(1, left));
      degrees.push_back(degree);
      left -= random.between(0, 5) == 0 ? left : degree;
    }
    const Lists lists = place(degrees, cluster);
    std::set<int32_t> seen;
    bool first_group = true;
    for (size_t g = 0; g < lists.size(); ++g) {
      EXPECT_EQ(static_cast<int32_t>(lists[g].size()), degrees[g]);
      EXPECT_TRUE(std::is_sorted(lists[g].begin(), lists[g].end()));
      for (int32_t rank : lists[g]) {
        EXPECT_TRUE(0 <= rank && rank < cluster.ranks());
        EXPECT_TRUE(seen.insert(rank).second);
      }
      const bool largest = degrees[g] == *std::max_element(degrees.begin(), degrees.end());
      if (largest && first_group && degrees[g] <= cluster.gpus_per_node) {
        EXPECT_EQ(cluster.node_of(lists[g].front()), cluster.node_of(lists[g].back()));
      }
      first_group = first_group && !largest;
    }
  }
}

}  // namespace
}  // namespace cpbench::flexcp
