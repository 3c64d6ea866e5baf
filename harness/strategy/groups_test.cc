#include "harness/strategy/groups.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

Problem problem_of(std::vector<int64_t> lengths, int32_t ranks, Mask mask = Mask::document_causal) {
  return problem_of(batch_of(std::move(lengths), mask, 5), ranks,
                    {.query_heads = 12, .kv_heads = 2, .head_dim = 8, .value_head_dim = 4});
}

// Random partitions of the documents into groups of any ranks; some groups share ranks.
TEST(Groups, AnyGroupsMakeACorrectPlan) {
  std::mt19937_64 random(23);
  auto below = [&](int64_t n) { return static_cast<int32_t>(random() % static_cast<uint64_t>(n)); };
  for (int i = 0; i < 300; ++i) {
    const int32_t ranks = 1 + below(7);
    std::vector<int64_t> lengths;
    for (int32_t n = 1 + below(8); n > 0; --n) lengths.push_back(1 + below(20));
    const Problem problem = problem_of(lengths, ranks, static_cast<Mask>(below(4)));
    std::vector<Group> groups(1 + below(5));
    const auto sequences = static_cast<int32_t>(sequences_of(problem.batch).size());
    for (int32_t s = 0; s < sequences; ++s) {
      groups[below(static_cast<int64_t>(groups.size()))].sequences.push_back(s);
    }
    std::erase_if(groups, [](const Group& g) { return g.sequences.empty(); });
    for (Group& group : groups) {
      std::vector<int32_t> all(ranks);
      for (int32_t r = 0; r < ranks; ++r) all[r] = r;
      for (int32_t r = ranks - 1; r > 0; --r) std::swap(all[r], all[below(r + 1)]);
      all.resize(1 + below(ranks));
      group.ranks = all;
    }
    ASSERT_EQ(violations(problem, ring_in_groups(problem, groups)), "") << "batch " << i;
    ASSERT_EQ(violations(problem, ulysses_in_groups(problem, groups)), "") << "batch " << i;
  }
}

TEST(Groups, GroupsThatShareNoRankRunAtTheSameTime) {
  const Problem problem = problem_of({8, 8, 8}, 4);
  const Plan apart = ring_in_groups(problem, {{{0, 1}, {0}}, {{2, 3}, {1}}, {{0, 1}, {2}}});
  EXPECT_EQ(apart.forward.steps, 4);
  EXPECT_EQ(apart.token_sets.size_of(apart.home[0]), 8);
  EXPECT_EQ(apart.token_sets.size_of(apart.home[2]), 4);
}

TEST(Groups, UlyssesNeedsAHeadForEachRank) {
  const Problem problem = problem_of({40}, 13);  // 12 heads
  EXPECT_EQ(violations(problem, ulysses_in_groups(problem, {{{0, 1, 2, 3, 4}, {0}}})), "");
  std::vector<int32_t> everyone(13);
  std::iota(everyone.begin(), everyone.end(), 0);
  EXPECT_THROW(ulysses_in_groups(problem, {{everyone, {0}}}), Unsupported);
}

// In a ring every shard makes d - 1 hops. In Ulysses d - 1 of d parts of the heads leave each rank.
TEST(Groups, BytesInClosedForm) {
  const Problem problem = problem_of({24, 12, 6}, 6);
  const AttentionShape& shape = problem.shape;
  const std::vector<Group> groups = {{{0, 1, 2}, {0, 1}}, {{4, 5}, {2}}};
  const Plan ring = ring_in_groups(problem, groups);
  const int64_t kv = int64_t{2} * (8 + 4) * 4, wide = kv;  // in fp32 gradients weigh the same
  EXPECT_EQ(planned_bytes(ring.forward, ring, shape), (2 * 36 + 1 * 6) * kv);
  // KV travels again, and its gradient as often: with each hop after the first, and home.
  EXPECT_EQ(planned_bytes(ring.backward, ring, shape), (2 * 36 + 1 * 6) * (kv + wide));

  const Plan ulysses = ulysses_in_groups(problem, {{{0, 1}, {0, 1}}, {{4, 5}, {2}}});
  const int64_t q = 6 * 8 * 4, o = 6 * (4 * 4 + 4), half_kv = 1 * (8 + 4) * 4;
  EXPECT_EQ(planned_bytes(ulysses.forward, ulysses, shape), 42 * (q + half_kv + o));
}

TEST(Groups, PropertiesCountWhatALibraryWouldMake) {
  const std::vector<Group> groups = {
      {{0, 1}, {0}}, {{2}, {1}}, {{0, 1}, {2}}, {{1, 2}, {3}}, {{3, 4}, {4}}};
  const Properties found = by_name(group_report(groups, 6));
  EXPECT_EQ(found.at("groups"), 5);
  EXPECT_EQ(found.at("groups_of_1"), 1);
  EXPECT_EQ(found.at("groups_of_2"), 4);
  EXPECT_EQ(found.at("idle_ranks"), 1);
  EXPECT_EQ(found.at("communicators"), 3);
  EXPECT_EQ(found.at("group_changes"), 1);  // rank 1 from {0, 1} to {1, 2}
}

}  // namespace
}  // namespace cpbench
