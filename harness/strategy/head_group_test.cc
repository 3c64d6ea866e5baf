#include "harness/strategy/head_group.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

std::vector<int32_t> sizes(int32_t query_heads, int32_t kv_heads, int32_t ranks) {
  std::vector<int32_t> out;
  int32_t begin = 0;
  for (const Heads& heads :
       split_heads({.query_heads = query_heads, .kv_heads = kv_heads}, ranks)) {
    EXPECT_EQ(heads.begin, begin);
    begin = heads.end;
    out.push_back(heads.size());
  }
  EXPECT_EQ(begin, query_heads);
  return out;
}

// The first is the example in uneven_heads_all2all (DeepSpeed, deepspeed/sequence/layer.py).
TEST(SplitHeads, TheFirstRanksHaveMore) {
  EXPECT_EQ(sizes(7, 7, 4), (std::vector<int32_t>{2, 2, 2, 1}));
  EXPECT_EQ(sizes(20, 20, 8), (std::vector<int32_t>{3, 3, 3, 3, 2, 2, 2, 2}));
  EXPECT_EQ(sizes(12, 12, 4), (std::vector<int32_t>{3, 3, 3, 3}));
}

TEST(SplitHeads, GroupsOfQueryHeadsStayWhole) {
  EXPECT_EQ(sizes(28, 7, 2), (std::vector<int32_t>{16, 12}));
  EXPECT_EQ(sizes(40, 8, 3), (std::vector<int32_t>{15, 15, 10}));
}

// Ranks that share a KV head have copies of it.
TEST(SplitHeads, MoreRanksThanKvHeads) {
  const AttentionShape shape{.query_heads = 40, .kv_heads = 8};
  for (int32_t ranks : {16, 40}) {
    for (const Heads& heads : split_heads(shape, ranks)) {
      EXPECT_EQ(kv_heads_of(heads, shape).size(), 1) << ranks;
    }
  }
  EXPECT_EQ(sizes(10, 2, 4), (std::vector<int32_t>{3, 2, 3, 2}));
  EXPECT_EQ(sizes(12, 3, 4), (std::vector<int32_t>{3, 3, 3, 3}));
  EXPECT_EQ(sizes(40, 8, 40), std::vector<int32_t>(40, 1));
}

TEST(SplitHeads, TheFirstHasTheMostAndTheLastTheFewest) {
  for (int32_t kv_heads = 1; kv_heads <= 9; ++kv_heads) {
    for (int32_t sharing = 1; sharing <= 5; ++sharing) {
      for (int32_t ranks = 1; ranks <= kv_heads * sharing; ++ranks) {
        const std::vector<int32_t> split = sizes(kv_heads * sharing, kv_heads, ranks);
        const auto [least, most] = std::minmax_element(split.begin(), split.end());
        EXPECT_GT(*least, 0);
        EXPECT_LE(*most - *least, ranks > kv_heads ? 1 : sharing);
        EXPECT_EQ(split.front(), *most);
        EXPECT_EQ(split.back(), *least);
      }
    }
  }
}

TEST(SplitHeads, RefusesMoreRanksThanQueryHeads) {
  EXPECT_EQ(error_of<Unsupported>([] { split_heads({.query_heads = 7, .kv_heads = 7}, 8); }),
            "7 query heads are too few for 8 ranks");
}

}  // namespace
}  // namespace cpbench
