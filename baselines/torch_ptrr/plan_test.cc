#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {
namespace {

// The indices of the blocks that each rank owns.
std::vector<std::vector<int64_t>> blocks_of(const Problem& problem, int64_t block_tokens) {
  const Plan plan =
      plan_of("torch_ptrr", problem, {{"block_tokens", std::to_string(block_tokens)}});
  std::vector<std::vector<int64_t>> blocks;
  for (const SetId home : plan.home) {
    blocks.emplace_back();
    for_each_member(plan.token_sets[home], [&](int64_t token) {
      if (token % block_tokens == 0) blocks.back().push_back(token / block_tokens);
    });
  }
  return blocks;
}

// The example that upstream documents: documents of 4, 8 and 4 blocks on 2 ranks.
TEST(TorchPtrr, DealsTheDocumentedExample) {
  EXPECT_EQ(blocks_of(problem_of({16, 32, 16}, 2), 4),
            (std::vector<std::vector<int64_t>>{{2, 3, 5, 6, 8, 11, 12, 13},
                                               {0, 1, 4, 7, 9, 10, 14, 15}}));
}

// Blocks of 4 tokens; a slow count of the key blocks that each query block sees, then the rule.
TEST(TorchPtrr, CountsTheKeyBlocksThatAnyQuerySees) {
  for (const Mask kind : {Mask::document_causal, Mask::sliding_window, Mask::document_full}) {
    const Problem problem = problem_of(batch_of({5, 1, 9, 13, 2, 6}, kind, 6), 3);
    const MaskIndex mask(problem.batch);
    std::vector<int64_t> work;
    for (int64_t block = 0; block < 9; ++block) {
      std::set<int64_t> seen;
      for (int64_t query = 4 * block; query < 4 * block + 4; ++query) {
        for_each_member(mask.visible_keys(query), [&](int64_t key) { seen.insert(key / 4); });
      }
      work.push_back(static_cast<int64_t>(seen.size()));
    }
    std::vector<int64_t> order = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return work[a] > work[b]; });
    std::vector<std::vector<int64_t>> expected = {{order[0], order[5], order[6]},
                                                  {order[1], order[4], order[7]},
                                                  {order[2], order[3], order[8]}};
    for (auto& blocks : expected) std::sort(blocks.begin(), blocks.end());
    EXPECT_EQ(blocks_of(problem, 4), expected);
  }
}

TEST(TorchPtrr, BytesAreTheClosedForm) {
  for (const int32_t ranks : {1, 2, 3, 8}) {
    const Problem problem = problem_of({100, 29, 1}, ranks, {8, 2});
    const Plan plan = plan_of("torch_ptrr", problem, {{"block_tokens", "4"}});
    int64_t longest = 0;
    for (const SetId home : plan.home) longest = std::max(longest, plan.token_sets.size_of(home));
    const int64_t bytes = int64_t{ranks} * (ranks - 1) * longest * 2 * (64 + 64) * 4;
    EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), bytes);
    EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), bytes);
  }
}

TEST(TorchPtrr, OtherBalancersAreThoseOfAllgatherAndPerDoc) {
  const Problem problem = problem_of({61, 40}, 3);
  EXPECT_EQ(plan_of("torch_ptrr", problem, {{"balancer", "head_tail"}}),
            plan_of("allgather", problem));
  EXPECT_EQ(plan_of("torch_ptrr", problem, {{"balancer", "per_document"}}),
            plan_of("per_doc", problem));
}

}  // namespace
}  // namespace cpbench
