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

TEST(Sharding, NewAndCachedTokensAreEachShared) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 500; ++i) {
    Batch batch;
    Ranges cached;
    int64_t token = 0;
    for (uint64_t n = 1 + random() % 8; n > 0; --n) {
      int64_t length = 1 + static_cast<int64_t>(random() % 40);
      batch.document_lengths.push_back(length);
      batch.cached_tokens.push_back(static_cast<int64_t>(random() % (length + 1)));
      cached.push_back({token, token + batch.cached_tokens.back()});
      token += length;
    }
    cached = normalise(cached);
    int32_t ranks = static_cast<int32_t>(1 + random() % 9);
    std::vector<Ranges> shards = new_and_cached_shards(batch, ranks);
    expect_partition(shards, batch.tokens());
    int64_t all_cached = size_of(RangeSpan(cached));
    for (const Ranges& shard : shards) {
      int64_t own = size_of(RangeSpan(intersect(shard, cached)));
      EXPECT_LE(std::abs(own * ranks - all_cached), ranks);
      int64_t fresh = size_of(RangeSpan(shard)) - own;
      EXPECT_LE(std::abs(fresh * ranks - batch.new_tokens()), 2 * ranks);
    }
    batch.cached_tokens.clear();
    EXPECT_EQ(new_and_cached_shards(batch, ranks), per_document_shards(batch, ranks, 2));
  }
}

TEST(Sharding, CachedTokensLieInOrderAndNewOnesInZigzag) {
  Batch batch{{12}};
  batch.cached_tokens = {4};
  std::vector<Ranges> shards = new_and_cached_shards(batch, 2);
  EXPECT_EQ(shards[0], (Ranges{{0, 2}, {4, 6}, {10, 12}}));
  EXPECT_EQ(shards[1], (Ranges{{2, 4}, {6, 10}}));
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
