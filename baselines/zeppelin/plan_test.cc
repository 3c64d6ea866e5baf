#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "baselines/zeppelin/partition.h"
#include "baselines/zeppelin/remap.h"
#include "harness/strategy/test_plans.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench {
namespace {

using zeppelin::partition;

TEST(ZeppelinPartition, EachSequenceHasItsZone) {
  const std::vector<Group> groups =
      partition({900, 300, 100, 100}, {.nodes = 2, .ranks_per_node = 2, .per_rank = 400});
  EXPECT_EQ(groups,
            (std::vector<Group>{{{0, 1, 2, 3}, {0}}, {{0, 1}, {1}}, {{2}, {2}}, {{3}, {3}}}));
}

// 600 fits one of two ranks of a node, but then 500 and 400 do not fit the other. So 600 is cut.
TEST(ZeppelinPartition, CutsOneMoreUntilTheOthersFit) {
  const std::vector<Group> groups =
      partition({600, 500, 400}, {.nodes = 1, .ranks_per_node = 2, .per_rank = 800});
  EXPECT_EQ(groups, (std::vector<Group>{{{0, 1}, {0}}, {{0}, {1}}, {{1}, {2}}}));
}

// Ranks follow squared tokens within a node: 16 : 9 : 4 of 8 ranks are 5, 3 and 2, rounded up.
TEST(ZeppelinPartition, RanksFollowTheWorkOfAttention) {
  const std::vector<Group> groups =
      partition({400, 300, 200}, {.nodes = 1, .ranks_per_node = 8, .per_rank = 150});
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].degree(), 5);
  EXPECT_EQ(groups[1].degree(), 3);
  EXPECT_EQ(groups[2].degree(), 2);
}

TEST(ZeppelinPartition, WholeSequencesFitTheirRank) {
  flashcp::Random random(5);
  for (int i = 0; i < 200; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const int32_t nodes = static_cast<int32_t>(random.between(1, 3));
    const int32_t per_node = static_cast<int32_t>(random.between(1, 4));
    const int64_t per_rank = batch.tokens() / (nodes * per_node) + random.between(1, 20);
    size_t sequences = 0;
    for (const Group& group : partition(batch.document_lengths, {nodes, per_node, per_rank})) {
      sequences += group.sequences.size();
      int64_t tokens = 0;
      for (const int32_t s : group.sequences) tokens += batch.document_lengths[s];
      const bool whole = group.degree() == 1 && nodes * per_node > 1;
      EXPECT_LE(whole ? tokens : 0, per_rank) << i;
    }
    EXPECT_EQ(sequences, batch.document_lengths.size());
  }
}

// 4 and 0 tokens in the first node, 3 and 1 in the second: each node levels its own, 2 : 2.
TEST(ZeppelinRemap, StaysInsideNodesIfItCan) {
  Cluster cluster;
  cluster.nodes = 2;
  cluster.gpus_per_node = 2;
  const auto moves = zeppelin::remap({{{0, 4}}, {}, {{4, 7}}, {{7, 8}}}, cluster);
  ASSERT_EQ(moves.size(), 2u);
  EXPECT_EQ(moves[0].attends, 0);
  EXPECT_EQ(moves[0].owns, 1);
  EXPECT_EQ(moves[0].tokens, (Ranges{{2, 4}}));
  EXPECT_EQ(moves[1].attends, 2);
  EXPECT_EQ(moves[1].owns, 3);
  EXPECT_EQ(moves[1].tokens, (Ranges{{6, 7}}));
}

TEST(Zeppelin, CorrectOnAnyBatchAndCluster) {
  flashcp::Random random(17);
  for (int i = 0; i < 300; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const Ranks ranks(static_cast<int32_t>(random.between(1, 4)),
                      static_cast<int32_t>(random.between(1, 4)));
    const Problem problem = problem_of(batch, ranks, {4, 2});
    const Settings set = {{"slack", std::to_string(1 + 0.1 * random.between(0, 9))},
                          {"remap", i % 2 == 0 ? "true" : "false"}};
    ASSERT_EQ(violations(problem, plan_of("zeppelin", problem, set)), "") << i;
  }
}

TEST(Zeppelin, RanksOwnEqualTokens) {
  const Problem problem = problem_of({90, 31, 17, 5, 5, 3, 2}, {2, 2});
  const Plan plan = plan_of("zeppelin", problem);
  for (const SetId home : plan.home) EXPECT_NEAR(plan.token_sets.size_of(home), 153 / 4.0, 1);
}

struct Link {
  int64_t out = 0, in = 0;
};
// Bytes that each rank sends to, and receives from, other nodes in the forward pass.
std::vector<Link> across_nodes(const Problem& problem, const Plan& plan) {
  std::vector<Link> links(problem.ranks());
  for (const Send& send : plan.forward.sends) {
    const auto from = static_cast<int32_t>(plan.rank_sets[send.from].front().begin);
    const auto to = static_cast<int32_t>(plan.rank_sets[send.to].front().begin);
    if (problem.cluster.node_of(from) == problem.cluster.node_of(to)) continue;
    const int64_t bytes = cost_of(send, plan.forward, plan, problem.shape).total();
    links[from].out += bytes;
    links[to].in += bytes;
  }
  return links;
}

TEST(Zeppelin, AllRanksOfANodeShareWhatCrossesNodes) {
  const Problem problem = problem_of({256}, {2, 4}, {8, 2});
  const std::vector<Link> links = across_nodes(problem, plan_of("zeppelin", problem));
  const Link most = links.front();
  EXPECT_GT(most.out, 0);
  // Seven shards cross each link; only that of the receiving rank itself need not be transferred.
  for (const Link& link : links) {
    EXPECT_GE(7 * link.out, 6 * most.out);
    EXPECT_GE(7 * link.in, 6 * most.in);
  }
}

// README: of a document on k nodes of P ranks, each shard of S tokens hops d - 1 times, and c of
// its hops cross nodes. These cost 2 (P-1) / P S more, less what is at home where it would pass.
TEST(Zeppelin, BytesAreTheClosedForm) {
  for (const Ranks ranks : {Ranks(1, 4), Ranks(2, 2), Ranks(2, 4), Ranks(3, 4)}) {
    const int64_t k = ranks.nodes, p = ranks.gpus_per_node, d = k * p, shard = 16;
    const Problem problem = problem_of({d * shard}, ranks, {8, 2});
    const Plan plan = plan_of("zeppelin", problem);
    int64_t kv = 0, dkv = 0;  // in tokens
    for (int64_t j = 0; j < p; ++j) {
      const int64_t crossings = k == 1 ? 0 : (j == 0 ? k - 1 : k);
      const int64_t relayed = crossings * 2 * (p - 1) * shard / p;
      // The first crossing dispatches nothing to the owner. The last one, back into its node,
      // neither transfers to the owner nor dispatches what would go there.
      int64_t at_home = 0;
      if (k > 1 && j != p - 1) at_home += shard / p;
      if (k > 1 && j != 0) at_home += (j == p - 1 ? 1 : 2) * shard / p;
      kv += k * ((d - 1) * shard + relayed - at_home);
      // The gradient leaves from the first hop on and returns, so it takes hops 1 to d - 1.
      const int64_t first_crosses = k > 1 && j == p - 1 ? 1 : 0;
      const int64_t last_crosses = k > 1 && j == 0 ? 1 : 0;
      dkv += k * ((d - 1) * shard +
                  (crossings - first_crosses + last_crosses) * 2 * (p - 1) * shard / p);
    }
    const int64_t bytes = 2 * (64 + 64) * 4;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), kv * bytes) << k << " x " << p;
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), (kv + dkv) * bytes)
        << k << " x " << p;
  }
}

TEST(Zeppelin, ReportsTheZones) {
  const Properties zones =
      properties_of("zeppelin", problem_of({900, 300, 100, 100}, {2, 2}), {{"slack", "1.14"}});
  EXPECT_EQ(zones.at("sequences_across_nodes"), 1);
  EXPECT_EQ(zones.at("sequences_within_a_node"), 1);
  EXPECT_EQ(zones.at("whole_sequences"), 2);
}

}  // namespace
}  // namespace cpbench
