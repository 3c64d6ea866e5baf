#include "methods/flashcp/shards.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/plan/mask.h"
#include "methods/flashcp/heuristic.h"
#include "methods/flashcp/test_batches.h"
#include "methods/flashcp/transfers.h"

namespace cpbench::flashcp {
namespace {

TEST(Shards, WorkIsThePapersFormula) {
  const Visibility sees(Batch{.document_lengths = {10}});
  const int64_t p = 4, s = 2;
  EXPECT_EQ(sees.work({p, p + s}, 10), s * (2 * p + s + 1) / 2);
}

TEST(Shards, NormalFormSortsAndJoinsNeighbours) {
  const Shards shards = normal_form({{1, 0, 4, 0}, {0, 3, 5, 1}, {0, 0, 3, 1}, {0, 5, 6, 0}});
  EXPECT_EQ(shards, (Shards{{0, 0, 5, 1}, {0, 5, 6, 0}, {1, 0, 4, 0}}));
}

// A random placement: every document cut anywhere, pieces anywhere.
Shards random_shards(Random& random, const std::vector<int64_t>& documents, int32_t ranks) {
  Shards shards;
  for (size_t document = 0; document < documents.size(); ++document) {
    for (int64_t begin = 0; begin < documents[document];) {
      const int64_t end = random.between(begin + 1, documents[document]);
      shards.push_back({static_cast<int32_t>(document), begin, end,
                        static_cast<int32_t>(random.between(0, ranks - 1))});
      begin = end;
    }
  }
  return normal_form(shards);
}

struct Placed {
  Batch batch;
  std::vector<int64_t> documents, starts;
  Shards shards;
  int32_t ranks = 0;
  std::vector<int32_t> rank_of;              // per token of the pack
  std::vector<std::set<int32_t>> seen_from;  // per token, the other ranks that see it
};

Placed random_placed(Random& random) {
  Placed placed;
  placed.batch = random_batch(random, 4, 12);
  placed.ranks = static_cast<int32_t>(random.between(1, 5));
  const Visibility sees(placed.batch);
  placed.documents = sees.documents(placed.batch);
  int64_t start = 0;
  for (int64_t tokens : placed.documents) {
    placed.starts.push_back(start);
    start += tokens;
  }
  placed.shards = random_shards(random, placed.documents, placed.ranks);
  placed.rank_of.resize(start);
  for (const Shard& shard : placed.shards) {
    for (int64_t t = shard.begin; t < shard.end; ++t) {
      placed.rank_of[placed.starts[shard.document] + t] = shard.rank;
    }
  }
  const MaskIndex mask(placed.batch);
  placed.seen_from.resize(start);
  for (int64_t query = 0; query < start; ++query) {
    for_each_member(mask.visible_keys(query), [&](int64_t key) {
      if (placed.rank_of[key] != placed.rank_of[query]) {
        placed.seen_from[key].insert(placed.rank_of[query]);
      }
    });
  }
  return placed;
}

TEST(Shards, KeysAndWorkAgreeWithTheMask) {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const Placed placed = random_placed(random);
    const MaskIndex mask(placed.batch);
    const Visibility sees(placed.batch);
    for (const Shard& shard : placed.shards) {
      const int64_t start = placed.starts[shard.document];
      const int64_t tokens = placed.documents[shard.document];
      const Range queries{start + shard.begin, start + shard.end};
      const Range keys = sees.keys({shard.begin, shard.end}, tokens);
      EXPECT_EQ((Ranges{{start + keys.begin, start + keys.end}}), mask.keys_seen(Ranges{queries}));
      EXPECT_EQ(sees.work({shard.begin, shard.end}, tokens), mask.pairs(Ranges{queries}));
    }
  }
}

TEST(Transfers, PaddedSendsJustTheTokensThatOthersSee) {
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    const Placed placed = random_placed(random);
    const auto sent =
        sent_tokens(placed.shards, placed.starts, placed.ranks, Visibility(placed.batch));
    for (size_t token = 0; token < placed.rank_of.size(); ++token) {
      const auto t = static_cast<int64_t>(token);
      EXPECT_EQ(contains(sent[placed.rank_of[token]], {t, t + 1}),
                !placed.seen_from[token].empty());
    }
  }
}

TEST(Transfers, ExactReachesJustTheRanksThatSee) {
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    const Placed placed = random_placed(random);
    std::vector<std::set<int32_t>> reached(placed.rank_of.size());
    for (const Multicast& cast : exact_multicasts(placed.shards, placed.documents, placed.starts,
                                                  Visibility(placed.batch))) {
      EXPECT_TRUE(is_normal(cast.to));
      for (int64_t token = cast.tokens.begin; token < cast.tokens.end; ++token) {
        EXPECT_EQ(placed.rank_of[token], cast.from);
        for (const Range& to : cast.to) {
          for (int64_t rank = to.begin; rank < to.end; ++rank) {
            if (rank == cast.from) continue;
            EXPECT_TRUE(reached[token].insert(static_cast<int32_t>(rank)).second) << "sent twice";
          }
        }
      }
    }
    EXPECT_EQ(reached, placed.seen_from);
  }
}

}  // namespace
}  // namespace cpbench::flashcp
