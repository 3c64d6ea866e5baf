#include "harness/strategy/sharding.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

void expect_partition(const std::vector<Ranges>& shards, int64_t tokens) {
  Ranges all;
  int64_t total = 0;
  for (const Ranges& shard : shards) {
    EXPECT_TRUE(is_normal(shard));
    all = unite(all, shard);
    total += size_of(RangeSpan(shard));
  }
  EXPECT_EQ(total, tokens);
  EXPECT_EQ(all, normalise({{0, tokens}}));
}

TEST(Sharding, EveryCutIsAPartition) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    Batch batch;
    for (uint64_t n = 1 + random() % 8; n > 0; --n) {
      batch.document_lengths.push_back(1 + static_cast<int64_t>(random() % 40));
    }
    int32_t ranks = static_cast<int32_t>(1 + random() % 9);
    expect_partition(contiguous_shards(batch.tokens(), ranks), batch.tokens());
    expect_partition(head_tail_shards(batch.tokens(), ranks), batch.tokens());
    for (int32_t chunks : {1, 2}) {
      std::vector<Ranges> shards = per_document_shards(batch, ranks, chunks);
      expect_partition(shards, batch.tokens());
      // The counter that runs on keeps token counts within one token per chunk of each other.
      for (const Ranges& shard : shards) {
        EXPECT_LE(std::abs(size_of(RangeSpan(shard)) * ranks - batch.tokens()), 2 * chunks * ranks);
      }
    }
  }
}

TEST(Sharding, HeadAndTailGoToOneRank) {
  std::vector<Ranges> shards = head_tail_shards(16, 2);
  EXPECT_EQ(shards[0], (Ranges{{0, 4}, {12, 16}}));
  EXPECT_EQ(shards[1], (Ranges{{4, 12}}));
}

TEST(Sharding, RemaindersRunOnFromDocumentToDocument) {
  // 4 chunks over 2 ranks. Document 0 of 6: chunks 2,2,1,1; document 1 of 5 goes on at chunk 2:
  // chunks 1,1,2,1.
  std::vector<Ranges> shards = per_document_shards({{6, 5}, Mask::document_causal, 0}, 2, 2);
  EXPECT_EQ(shards[0], (Ranges{{0, 2}, {5, 7}, {10, 11}}));
  EXPECT_EQ(shards[1], (Ranges{{2, 5}, {7, 10}}));
}

}  // namespace
}  // namespace cpbench
