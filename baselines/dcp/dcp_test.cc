#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "baselines/dcp/placement.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/test_plans.h"

namespace cpbench::dcp {
namespace {

Problem problem_of(std::vector<int64_t> lengths, Ranks ranks, Mask mask = Mask::document_causal) {
  return problem_of(batch_of(std::move(lengths), mask, 50), ranks, {8, 2});
}

std::vector<int64_t> pairs_of(const Problem& problem, const Plan& plan) {
  const MaskIndex mask(problem.batch);
  std::vector<int64_t> pairs(problem.ranks(), 0);
  for (const Attend& a : plan.forward.attends) {
    pairs[a.rank] += mask.pairs(plan.token_sets[a.q], plan.token_sets[a.kv]);
  }
  return pairs;
}

double max_over_mean(const std::vector<int64_t>& load) {
  double sum = 0;
  for (int64_t l : load) sum += static_cast<double>(l);
  return static_cast<double>(*std::max_element(load.begin(), load.end())) *
         static_cast<double>(load.size()) / sum;
}

const std::vector<int64_t> kLengths = {3000, 10, 200, 1500, 77, 500, 500, 23, 1900, 1, 489};

TEST(DcpBlocks, LieInDocumentsAndHoldAllPairs) {
  for (const auto& [kind, parents] : std::vector<std::pair<Mask, std::vector<int32_t>>>{
           {Mask::document_causal, {}},
           {Mask::causal, {}},
           {Mask::document_full, {}},
           {Mask::sliding_window, {}},
           {Mask::block_causal, {}},
           {Mask::document_causal, {-1, 0, 0, 1, -1}},
           {Mask::chunked, {-1, 0, -1, 0, 3}}}) {
    Problem problem = problem_of({61, 7, 1, 30, 102}, 1, kind);
    problem.batch.parents = parents;
    const MaskIndex mask(problem.batch);
    const std::vector<Range> documents = MaskIndex(Batch{{61, 7, 1, 30, 102}}).blocks();
    for (int64_t size : {1, 8, 25, 1000}) {
      const Blocks blocks = make_blocks(mask, size);
      int64_t token = 0, pairs = 0;
      for (const Range& block : blocks.data) {
        EXPECT_EQ(block.begin, token);
        EXPECT_LE(block.size(), size);
        const bool inside = kind == Mask::causal || std::ranges::any_of(documents, [&](Range d) {
                              return d.begin <= block.begin && block.end <= d.end;
                            });
        EXPECT_TRUE(inside);
        token = block.end;
      }
      EXPECT_EQ(token, 201);
      for (const ComputeBlock& c : blocks.compute) {
        EXPECT_GT(c.pairs, 0);
        pairs += c.pairs;
      }
      EXPECT_EQ(pairs, mask.pairs());
    }
  }
}

TEST(DcpBlocks, DefaultSize) {
  auto size = [](int64_t tokens, int32_t ranks) {
    return default_block_tokens(MaskIndex(Batch{{tokens}}), ranks);
  };
  EXPECT_EQ(size(3, 8), 1);
  EXPECT_EQ(size(4096, 8), 128);                           // 4 blocks for each rank
  EXPECT_EQ(size(int64_t{8} * 32768, 8), 1024);            // 256 blocks, 32,896 compute blocks
  EXPECT_EQ(size(int64_t{64} * 32768, 64), 1 << 12 << 1);  // 256 blocks again: 512 are too many
}

// Two data blocks and three compute blocks of one causal document, counted by hand.
TEST(DcpHypergraph, ConnectivityCountsEachEdgeOncePerFurtherPart) {
  const Blocks blocks = make_blocks(MaskIndex(Batch{{4}}), 2);
  ASSERT_EQ(blocks.compute.size(), 3u);  // (0,0) (1,0) (1,1)
  const Hypergraph graph = hypergraph_of(blocks, {.qo = 10, .kv = 1});
  EXPECT_EQ(connectivity_bytes(graph, {0, 0, 0, 0, 0}, 1), 0);
  EXPECT_EQ(connectivity_bytes(graph, {0, 1, 0, 1, 1}, 2), 2);   // K, V of block 0 to rank 1
  EXPECT_EQ(connectivity_bytes(graph, {0, 1, 0, 0, 1}, 2), 20);  // Q and O of block 1 to rank 0
  EXPECT_EQ(connectivity_bytes(graph, {0, 1, 0, 2, 1}, 3), 22);  // both to a rank of neither
}

TEST(DcpRefine, NeverLosesAndHoldsLimits) {
  // Vertices without any order: a start that is bad in bytes and in balance.
  const Blocks blocks = make_blocks(MaskIndex(Batch{{640, 320, 64, 64, 192}}), 32);
  const Hypergraph graph = hypergraph_of(blocks, {.qo = 7, .kv = 7});
  Limits mean;
  for (const Vertex& v : graph.vertices) {
    (v.kind == Kind::data ? mean.tokens : mean.pairs) += static_cast<double>(v.weight) / 4;
  }
  const Limits limits{1.15 * mean.tokens, 1.15 * mean.pairs};
  Parts start(graph.vertices.size());
  for (size_t v = 0; v < start.size(); ++v) start[v] = static_cast<int32_t>(v * 7 % 5 % 4);
  Parts refined = start;
  refine(graph, 4, limits, refined);
  EXPECT_LT(connectivity_bytes(graph, refined, 4), connectivity_bytes(graph, start, 4));
  for (int64_t load : loads(graph, refined, 4, Kind::data)) EXPECT_LE(load, limits.tokens);
  for (int64_t load : loads(graph, refined, 4, Kind::compute)) EXPECT_LE(load, limits.pairs);
  // With everything in one part nothing moves, but the limits are exceeded: it must be spread.
  Parts heap(graph.vertices.size(), 0);
  refine(graph, 4, limits, heap);
  for (int64_t load : loads(graph, heap, 4, Kind::data)) EXPECT_LE(load, limits.tokens);
  for (int64_t load : loads(graph, heap, 4, Kind::compute)) EXPECT_LE(load, limits.pairs);
}

// Both parts are full, of tokens and of pairs, so no vertex can move alone.
TEST(DcpRefine, DataBlocksOfFullPartsChangePlaces) {
  const Blocks blocks = make_blocks(MaskIndex(Batch{{8, 8}}), 8);
  const Hypergraph graph = hypergraph_of(blocks, {.qo = 7, .kv = 7});
  Parts part_of = {0, 1, 1, 0};  // each data block without its compute block
  refine(graph, 2, {.tokens = 8, .pairs = 36}, part_of);
  EXPECT_EQ(part_of, (Parts{1, 0, 1, 0}));
}

TEST(DcpStarts, WholeDocumentsGoLongestFirst) {
  const Blocks blocks = make_blocks(MaskIndex(Batch{{2, 8, 6, 4}}), 2);
  const Hypergraph graph = hypergraph_of(blocks, {.qo = 1, .kv = 1});
  const Parts part_of = whole_start(graph, 2, {.tokens = 12, .pairs = 50});
  const Parts homes(part_of.begin(), part_of.begin() + std::ssize(blocks.data));
  EXPECT_EQ(homes, (Parts{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}));  // 36 and 3 pairs, 21 and 10
  EXPECT_EQ(connectivity_bytes(graph, part_of, 2), 0);
}

// One document in 64 blocks on 8 ranks, where a refinement that takes no losses on the way ends at
// 12.3 MB.
TEST(DcpPlan, OneLongDocument) {
  const Blocks blocks = make_blocks(MaskIndex(Batch{{64 * 16}}), 16);
  const BlockBytes bytes{.qo = 2 * 4096 + 64, .kv = 2048};  // of a token
  const Placement placement = place(blocks, {.nodes = 1, .gpus_per_node = 8}, bytes, {1.1, 1.1});
  Parts part_of(placement.home);
  part_of.insert(part_of.end(), placement.server.begin(), placement.server.end());
  EXPECT_LE(connectivity_bytes(hypergraph_of(blocks, bytes), part_of, 8), 11'700'000);
}

// Documents that fit whole are not cut, although they are longer than a block.
TEST(DcpPlan, NothingMovesWhereWholeDocumentsFit) {
  const std::vector<int64_t> lengths = {900, 700, 650, 500, 450, 400, 350, 300, 250, 200, 150, 50};
  for (int nodes : {1, 2}) {
    const Problem problem = problem_of(lengths, {nodes, 4 / nodes});
    const Plan plan = plan_of("dcp", problem, {{"block_tokens", "100"}, {"imbalance", "1.35"}});
    EXPECT_EQ(violations(problem, plan), "");
    EXPECT_TRUE(plan.forward.sends.empty());
  }
}

Parts failing(const Hypergraph&, int32_t, Limits, int32_t, std::string& failure) {
  failure = "no memory";
  return {};
}

TEST(DcpPlace, AnotherStartIsTakenIfMetisFails) {
  const Blocks blocks = make_blocks(MaskIndex(Batch{kLengths}), 64);
  const Placement placement =
      place(blocks, {.nodes = 2, .gpus_per_node = 4}, {.qo = 7, .kv = 7}, {1.15, 1.15}, failing);
  std::vector<int64_t> tokens(8, 0), pairs(8, 0);
  for (size_t i = 0; i < blocks.data.size(); ++i) {
    tokens[placement.home[i]] += blocks.data[i].size();
  }
  for (size_t i = 0; i < blocks.compute.size(); ++i) {
    pairs[placement.server[i]] += blocks.compute[i].pairs;
  }
  EXPECT_LE(max_over_mean(tokens), 1.15);
  EXPECT_LE(max_over_mean(pairs), 1.15);
}

// 24 blocks of 64 tokens and one of 8 cannot be 1.0 times the mean on each of 2 ranks.
TEST(DcpPlace, RefusesIfMetisFailsAndNoStartIsWithinTheLimits) {
  const Blocks blocks = make_blocks(MaskIndex(Batch{{24 * 64 + 8}}), 64);
  try {
    place(blocks, {.nodes = 1, .gpus_per_node = 2}, {.qo = 7, .kv = 7}, {1, 1}, failing);
    ADD_FAILURE() << "expected Unsupported";
  } catch (const Unsupported& refused) {
    EXPECT_EQ(std::string(refused.what()).rfind("no memory, and no other start", 0), 0u);
  }
}

TEST(DcpPlan, FewBlocksNeedNoMetis) {
  const Problem problem = problem_of({8, 8}, 2);
  const Plan plan = plan_of("dcp", problem, {{"block_tokens", "8"}});
  EXPECT_EQ(violations(problem, plan), "");
  EXPECT_TRUE(plan.forward.sends.empty());
}

#ifdef CPBENCH_WITH_METIS

// Blocks of unequal length: tokens and work are balanced separately, which one combined weight
// could not do.
TEST(DcpPlan, TokensAndWorkAreBothBalanced) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    const Problem problem = problem_of(kLengths, {2, 4}, mask);
    const Plan plan = plan_of("dcp", problem, {{"block_tokens", "64"}, {"imbalance", "1.15"}});
    ASSERT_EQ(violations(problem, plan), "");
    std::vector<int64_t> tokens;
    for (SetId home : plan.home) tokens.push_back(plan.token_sets.size_of(home));
    EXPECT_LE(max_over_mean(tokens), 1.15);
    EXPECT_LE(max_over_mean(pairs_of(problem, plan)), 1.15);
  }
}

// A wide limit of tokens leaves that of work as it is, and saves bytes.
TEST(DcpPlan, TokensMayHaveALimitOfTheirOwn) {
  const Problem problem = problem_of({4096}, 8);
  const Plan tight = plan_of("dcp", problem, {{"block_tokens", "64"}});
  const Plan wide = plan_of("dcp", problem, {{"block_tokens", "64"}, {"token_imbalance", "2"}});
  EXPECT_LE(max_over_mean(pairs_of(problem, wide)), 1.1);
  EXPECT_LT(planned_bytes(wide.forward, wide, problem.shape),
            planned_bytes(tight.forward, tight, problem.shape));
}

// README: the planned bytes are the connectivity metric, which is counted here from the attends.
TEST(DcpPlan, BytesAreTheConnectivityMetric) {
  struct Case {
    int nodes, gpus, groups;
  };
  for (const auto [nodes, gpus, groups] :
       std::vector<Case>{{1, 1, 1}, {1, 4, 1}, {4, 1, 1}, {2, 3, 1}, {1, 4, 2}, {2, 3, 2}}) {
    const Problem problem = problem_of(kLengths, {nodes, gpus});
    const Settings set = {{"block_tokens", "64"}, {"head_groups", std::to_string(groups)}};
    const Plan plan = plan_of("dcp", problem, set);
    ASSERT_EQ(violations(problem, plan), "");
    const Blocks blocks = make_blocks(MaskIndex(problem.batch), 64);
    // Tokens of blocks, counted for every other rank that has them and each group of heads.
    int64_t queries = 0, keys = 0;
    for (int32_t r = 0; r < problem.ranks(); ++r) {
      const RangeSpan home = plan.token_sets[plan.home[r]];
      std::set<std::pair<int32_t, int64_t>> q_here, kv_here;  // (group, first token of a block)
      for (const Attend& a : plan.forward.attends) {
        if (a.rank != r) continue;
        for (int32_t group = 0; group < groups; ++group) {
          if (!a.heads.contains({8 / groups * group, 8 / groups * (group + 1)})) continue;
          for (const Range& block : blocks.data) {
            if (contains(plan.token_sets[a.q], block)) q_here.insert({group, block.begin});
            if (contains(plan.token_sets[a.kv], block)) kv_here.insert({group, block.begin});
          }
        }
      }
      for (const Range& block : blocks.data) {
        if (contains(home, block)) continue;
        for (int32_t group = 0; group < groups; ++group) {
          queries += q_here.contains({group, block.begin}) ? block.size() : 0;
          keys += kv_here.contains({group, block.begin}) ? block.size() : 0;
        }
      }
    }
    // float32, of one group
    const int64_t q = 8 * 64 * 4 / groups, side = 8 * 4 / groups, kv = 2 * 128 * 4 / groups;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape),
              queries * (2 * q + side) + keys * kv);
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape),
              queries * (2 * q + 2 * side) + keys * kv);
    Settings fetched_again = set;
    fetched_again["received"] = "fetched_again";
    const Plan again = plan_of("dcp", problem, fetched_again);
    EXPECT_EQ(planned_bytes(again.backward, again, problem.shape),
              queries * (3 * q + 2 * side) + 2 * keys * kv);
  }
}

TEST(DcpPlan, TwoLevelsSendNoMoreBetweenNodes) {
  auto between_nodes = [](const Problem& problem, const Plan& plan) {
    int64_t bytes = 0;
    for (const Send& send : plan.forward.sends) {
      const int64_t each = cost_of(send, plan.forward, plan, problem.shape).bytes_per_pair;
      std::set<int64_t> nodes;  // to each of which the send goes once
      for (const Range& to : plan.rank_sets[send.to]) {
        for (int64_t rank = to.begin; rank < to.end; ++rank) nodes.insert(rank / 4);
      }
      for (const Range& from : plan.rank_sets[send.from]) {
        for (int64_t rank = from.begin; rank < from.end; ++rank) {
          bytes += each * (std::ssize(nodes) - static_cast<int64_t>(nodes.count(rank / 4)));
        }
      }
    }
    return bytes;
  };
  const Problem two_levels = problem_of(kLengths, {2, 4});
  const Problem flat = problem_of(kLengths, 8);
  const Settings set = {{"block_tokens", "64"}};
  EXPECT_LE(between_nodes(two_levels, plan_of("dcp", two_levels, set)),
            between_nodes(flat, plan_of("dcp", flat, set)));
}

TEST(DcpPlan, ManyShortDocumentsShareOneCallPerRank) {
  const Problem problem = problem_of(std::vector<int64_t>(4000, 8), 8);
  const Plan plan = plan_of("dcp", problem);
  EXPECT_TRUE(plan.forward.sends.empty());
  EXPECT_EQ(plan.forward.attends.size(), 8u);
}

#else

TEST(DcpPlan, NamesTheMissingPackage) {
  const std::string reason = refusal("dcp", problem_of(kLengths, {2, 4}), {{"block_tokens", "64"}});
  EXPECT_NE(reason.find("libmetis-dev"), std::string::npos) << reason;
}

#endif

}  // namespace
}  // namespace cpbench::dcp
