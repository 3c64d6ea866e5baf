#include "harness/measure/communication_groups.h"

#include <gtest/gtest.h>

#include "harness/plan/builder.h"

namespace cpbench {
namespace {

using Groups = std::vector<RankGroup>;

// Eight ranks with one token each. K, V is sent along the pairs, and the gradient back.
Plan plan_of(const std::vector<std::pair<int32_t, int32_t>>& pairs) {
  Problem problem;
  problem.batch.document_lengths = {8};
  problem.cluster.gpus_per_node = 8;
  PlanBuilder b(problem);
  PassBuilder forward = b.forward(), backward = b.backward();
  for (int32_t r = 0; r < 8; ++r) b.home(r, Ranges{{r, r + 1}});
  for (auto [from, to] : pairs) {
    forward.send(0, from, to, Tensor::kv, b.home_of(from));
    backward.send(0, to, from, Tensor::dkv, b.home_of(from));
  }
  return b.finish();
}

TEST(CommunicationGroups, AreTheConnectedParts) {
  EXPECT_EQ(communication_groups(plan_of({}), Passes::both), Groups{});
  EXPECT_EQ(communication_groups(plan_of({{0, 1}, {5, 4}, {2, 1}}), Passes::both),
            (Groups{{0, 1, 2}, {4, 5}}));
  Plan plan = plan_of({{0, 1}});
  plan.backward = plan_of({{2, 3}}).backward;
  EXPECT_EQ(communication_groups(plan, Passes::forward), (Groups{{0, 1}}));
}

TEST(CommunicationGroups, AMulticastJoinsAllItsRanks) {
  Problem problem;
  problem.batch.document_lengths = {8};
  problem.cluster.gpus_per_node = 8;
  PlanBuilder b(problem);
  PassBuilder forward = b.forward();
  for (int32_t r = 0; r < 8; ++r) b.home(r, Ranges{{r, r + 1}});
  forward.multicast(0, 6, b.ranks(Ranges{{1, 3}, {7, 8}}), Tensor::kv, b.home_of(6));
  EXPECT_EQ(communication_groups(b.finish(), Passes::both), (Groups{{1, 2, 6, 7}}));
}

TEST(CommunicationGroups, ChangesAreCountedFromPackToPack) {
  const auto changes = [](const std::vector<Groups>& packs) {
    return history_of(packs, 8).changes;
  };
  EXPECT_EQ(changes({}), 0);
  EXPECT_EQ(changes({{{0, 1}, {2, 3}}, {{0, 1}, {2, 3}}}), 0);
  EXPECT_EQ(changes({{{0, 1}, {2, 3}}, {{0, 1, 2, 3}}}), 1);
  EXPECT_EQ(changes({{{0, 1, 2, 3}}, {{0, 1}, {2, 3}}}), 2);
  // The last group of a rank that was idle counts; a rank that had no group causes no change.
  EXPECT_EQ(changes({{{0, 1}}, {}, {{0, 1}, {4, 5}}, {{0, 2}}}), 1);
  EXPECT_EQ(history_of({{{0, 1}, {2, 3}}, {{0, 1}, {2, 3}}, {{0, 1, 2, 3}}}, 8).communicators, 3);
}

}  // namespace
}  // namespace cpbench
