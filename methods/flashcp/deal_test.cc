#include "methods/flashcp/deal.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "methods/flashcp/test_batches.h"

namespace cpbench::flashcp {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

struct Case {
  Batch batch;
  std::vector<Head> heads;
  std::vector<int64_t> room, work;
};

Case random_case(Random& random) {
  Case random_case{random_batch(random, 6, 60), {}, std::vector<int64_t>(random.between(1, 9)), {}};
  const auto documents = Visibility(random_case.batch).documents(random_case.batch);
  for (size_t i = 0; i < documents.size(); ++i) {
    const int64_t tokens = random.between(1, documents[i]);
    random_case.heads.push_back({static_cast<int32_t>(i), {0, tokens}});
    for (int64_t token = 0; token < tokens; ++token) {
      ++random_case.room[random.between(0, static_cast<int64_t>(random_case.room.size()) - 1)];
    }
  }
  for (size_t i = 0; i < random_case.room.size(); ++i) {
    random_case.work.push_back(random.between(0, 500));
  }
  return random_case;
}

TEST(Deal, FillsEveryRoomExactlyAndUsesUpTheHeads) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    Case given = random_case(random);
    const Visibility sees(given.batch);
    const auto documents = sees.documents(given.batch);
    std::vector<int64_t> room = given.room, work = given.work;
    Shards shards;
    std::vector<Head> heads = given.heads;
    const Dealing dealing = i % 2 ? Dealing::in_turn : Dealing::both_ends;
    ASSERT_TRUE(deal(documents, sees, heads, room, work, kNoLimit, dealing, shards));
    shards = normal_form(shards);
    std::vector<int64_t> covered(documents.size());
    for (const Shard& shard : shards) {
      ASSERT_EQ(shard.begin, covered[shard.document]);
      covered[shard.document] = shard.end;
      given.room[shard.rank] -= shard.tokens();
      given.work[shard.rank] += sees.work({shard.begin, shard.end}, documents[shard.document]);
    }
    for (const Head& head : given.heads) ASSERT_EQ(covered[head.document], head.tokens.end);
    ASSERT_EQ(given.room, std::vector<int64_t>(given.room.size()));
    ASSERT_EQ(given.work, work);
  }
}

// By hand: 8 tokens with 36 pairs, 4 for each rank. The first 4 have 10 pairs and the last 4 have
// 26, so the rank that has 16 already gets the first 4, whichever it is.
TEST(Deal, LengthsOfTheEndsSettleTheWork) {
  const Visibility sees(Batch{.document_lengths = {8}});
  for (const int32_t busy : {0, 1}) {
    std::vector<Head> heads{{0, {0, 8}}};
    std::vector<int64_t> room{4, 4}, work{0, 0};
    work[busy] = 16;
    Shards shards;
    EXPECT_TRUE(deal({8}, sees, heads, room, work, 26, Dealing::both_ends, shards));
    EXPECT_EQ(normal_form(shards), (Shards{{0, 0, 4, busy}, {0, 4, 8, 1 - busy}}));
    EXPECT_EQ(work, (std::vector<int64_t>{26, 26}));
  }
}

TEST(Deal, StopsAtTheLimit) {
  const Visibility sees(Batch{.document_lengths = {8}});
  std::vector<Head> heads{{0, {0, 8}}};
  std::vector<int64_t> room{4, 4}, work{16, 0};
  Shards shards;
  EXPECT_FALSE(deal({8}, sees, heads, room, work, 25, Dealing::both_ends, shards));
}

}  // namespace
}  // namespace cpbench::flashcp
