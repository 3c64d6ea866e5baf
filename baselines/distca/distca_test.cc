#include <gtest/gtest.h>

#include <algorithm>

#include "baselines/distca/balance.h"
#include "harness/strategy/test_plans.h"

namespace cpbench::distca {
namespace {

Problem problem_of(std::vector<int64_t> lengths, int32_t ranks, Mask mask = Mask::document_causal) {
  return problem_of(batch_of(std::move(lengths), mask, 50), ranks, {8, 2});
}

// Example 2 in the comment of upstream's batch_to_items_general: DistCA, distca/planner/planner.py.
// 32K over two ranks of 16K: head q=8K kv=8K and tail q=8K kv=32K, then head q=8K kv=16K and tail
// q=8K kv=24K; two documents of 8K and four of 4K lie whole on the next two ranks.
TEST(DistcaItems, AgreeWithUpstreamsExample) {
  constexpr int64_t K = 1024;
  const MaskIndex mask(Batch{{32 * K, 8 * K, 8 * K, 4 * K, 4 * K, 4 * K, 4 * K}});
  const std::vector<Item> items = head_tail_items(mask, 4);
  ASSERT_EQ(items.size(), 8u);
  EXPECT_EQ(items[0].head, (Range{0, 8 * K}));
  EXPECT_EQ(items[0].tail, (Range{24 * K, 32 * K}));
  EXPECT_EQ(items[1].head, (Range{8 * K, 16 * K}));
  EXPECT_EQ(items[1].tail, (Range{16 * K, 24 * K}));
  const std::vector<int32_t> homes = {0, 1, 2, 2, 3, 3, 3, 3};
  for (size_t i = 0; i < items.size(); ++i) EXPECT_EQ(items[i].home, homes[i]);
}

// Upstream's Item.split_item (same file) gives the innermost queries of head and tail away; q of
// each have q * (document length + 1) (query, key) pairs.
TEST(DistcaItems, PartsGoFromTheInsideAndMirroredPairsHaveEqualWork) {
  const MaskIndex mask(Batch{{8}});
  Item item = head_tail_items(mask, 1)[0];
  const Item inner = split_inner(item, 1);
  EXPECT_EQ(inner.head, (Range{3, 4}));
  EXPECT_EQ(inner.tail, (Range{4, 5}));
  EXPECT_EQ(item.head, (Range{0, 3}));
  EXPECT_EQ(item.tail, (Range{5, 8}));
  EXPECT_EQ(work_of(inner, mask), 9);
  EXPECT_EQ(work_of(item, mask), 27);
}

TEST(DistcaItems, BothLayoutsHoldEqualTokens) {
  const MaskIndex mask(Batch{{5, 1, 17, 2, 2, 8}});
  for (const auto& items : {head_tail_items(mask, 4), contiguous_items(mask, 4)}) {
    std::vector<int64_t> tokens(4, 0);
    for (const Item& item : items) tokens[item.home] += item.queries();
    EXPECT_EQ(tokens, (std::vector<int64_t>{9, 9, 9, 8}));
  }
}

// Upstream stops when the receivers are near the mean; here the givers must be near it too.
TEST(DistcaBalance, BothSidesEndWithinTheTolerance) {
  for (Mask kind :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    for (double tolerance : {0.02, 0.1, 0.3}) {
      const Problem problem = problem_of({3000, 10, 200, 1500, 77, 500, 500, 23, 1900}, 8, kind);
      const MaskIndex mask(problem.batch);
      for (const auto& items : {head_tail_items(mask, 8), contiguous_items(mask, 8)}) {
        const Balanced b = balance(items, mask, 8, tolerance, {512, 256});
        EXPECT_TRUE(b.within_tolerance);
        std::vector<int64_t> work(8, 0);
        for (const Item& item : b.items) work[item.server] += work_of(item, mask);
        EXPECT_EQ(work, b.work);
        const double mean = static_cast<double>(mask.pairs()) / 8;
        for (int64_t c : work) {
          EXPECT_NEAR(static_cast<double>(c), mean, tolerance * mean + 1e-6);
        }
      }
    }
  }
}

TEST(DistcaBalance, SaysWhenQueriesAreTooCoarse) {
  const MaskIndex mask(Batch{{1}});  // one query cannot be shared by two ranks
  const Balanced b = balance(head_tail_items(mask, 2), mask, 2, 0.1, {1, 1});
  EXPECT_FALSE(b.within_tolerance);
  EXPECT_EQ(b.work, (std::vector<int64_t>{1, 0}));
}

TEST(DistcaProperties, SayWhatToleranceWasReached) {
  const auto found = [](const Problem& problem, const char* tolerance, const char* name) {
    return property("distca", problem, name, {{"tolerance", tolerance}});
  };
  Problem problem = problem_of({1}, 2);
  EXPECT_EQ(found(problem, "0.1", "within_tolerance"), 0);
  EXPECT_EQ(found(problem, "0.1", "farthest_from_mean"), 1);  // one rank has all the work
  EXPECT_EQ(found(problem, "1", "within_tolerance"), 1);
  problem = problem_of({600, 40, 30, 10}, 4);
  EXPECT_EQ(found(problem, "0.1", "within_tolerance"), 1);
  EXPECT_LE(found(problem, "0.1", "farthest_from_mean"), 0.1);
  EXPECT_GT(found(problem, "0.1", "moved_queries"), 0);
}

// The giver's long document costs fewer bytes per (query, key) pair than its short ones, so it goes
// first.
TEST(DistcaBalance, LeastBytesPerCellFirst) {
  const MaskIndex mask(
      Batch{{100, 20, 20, 20, 20, 20, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}});
  std::vector<Item> items = head_tail_items(mask, 1);
  for (size_t i = 6; i < items.size(); ++i) items[i].home = items[i].server = 1;
  const Balanced b = balance(items, mask, 2, 0.1, {512, 256});
  EXPECT_TRUE(b.within_tolerance);
  for (const Item& item : b.items) {
    if (item.home != item.server) {
      EXPECT_EQ(item.block.size(), 100);
    }
  }
}

// Documents of prime lengths, for which upstream's rule sends 188.37 and 210.12 MiB forward, and
// the work of its most loaded rank is 1.0963 and 1.0107 of the mean.
TEST(DistcaPlan, SendsNoMoreThanUpstreamsRule) {
  struct Case {
    std::vector<int64_t> lengths;
    double mebibytes, imbalance;
  };
  for (const auto& [lengths, mebibytes, imbalance] :
       {Case{{13, 47, 53, 79, 467, 11, 419, 199, 83, 11, 71, 71, 8191, 373}, 188.3728, 1.0964},
        Case{{8191, 521, 599, 317, 587, 101, 491, 173, 151, 137, 419, 73, 479, 73},
             210.1235,
             1.012}}) {
    const Problem problem = cpbench::problem_of(lengths, 8,
                                                {.query_heads = 32,
                                                 .kv_heads = 8,
                                                 .head_dim = 128,
                                                 .value_head_dim = 128,
                                                 .dtype = Dtype::bfloat16});
    const Plan plan = plan_of("distca", problem);
    ASSERT_EQ(violations(problem, plan), "");
    EXPECT_LE(static_cast<double>(planned_bytes(plan.forward, plan, problem.shape)),
              mebibytes * 1024 * 1024);
    const MaskIndex mask(problem.batch);
    std::vector<int64_t> work(8, 0);
    for (const Attend& a : plan.forward.attends) {
      work[a.rank] += mask.pairs(plan.token_sets[a.q], plan.token_sets[a.kv]);
    }
    EXPECT_LE(static_cast<double>(std::ranges::max(work)),
              imbalance * static_cast<double>(mask.pairs()) / 8);
  }
}

// The loaded rank 0 may give to rank 1, which has nothing else, or to rank 2, which has more work
// but already receives the keys: rank 2 takes fewer bytes.
TEST(DistcaBalance, ReliefCountsTheKeysThatTheReceiverLacks) {
  const MaskIndex mask(Batch{{100, 51, 67}});
  std::vector<Item> items = head_tail_items(mask, 1);
  const Item inner = split_inner(items[0], 10);
  items.push_back(inner);
  items.back().home = items.back().server = 2;
  items[1].home = items[1].server = 2;
  items[2].home = items[2].server = 1;
  const Balanced b = balance(items, mask, 3, 0.25, {1, 512});
  EXPECT_TRUE(b.within_tolerance);
  for (const Item& item : b.items) {
    if (item.home == 0) {
      EXPECT_NE(item.server, 1);
    }
  }
}

// README: M moved queries, W remote keys that are needed.
TEST(DistcaPlan, BytesAreTheClosedForm) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    for (int32_t ranks : {1, 2, 3, 8}) {
      const Problem problem = problem_of({610, 7, 1, 300, 102}, ranks, mask);
      const Plan plan = plan_of("distca", problem);
      ASSERT_EQ(violations(problem, plan), "");
      const MaskIndex index(problem.batch);
      int64_t moved = 0, needed = 0;
      for (int32_t r = 0; r < ranks; ++r) {
        std::vector<bool> seen(problem.tokens(), false);
        const RangeSpan home = plan.token_sets[plan.home[r]];
        for (const Attend& a : plan.forward.attends) {
          if (a.rank != r) continue;
          for (const Range& range : plan.token_sets[a.q]) {
            for (int64_t q = range.begin; q < range.end; ++q) {
              moved += !contains(home, Range{q, q + 1});
              for_each_member(index.visible_keys(q), [&](int64_t k) { seen[k] = true; });
            }
          }
        }
        for (int64_t k = 0; k < problem.tokens(); ++k) {
          needed += seen[k] && !contains(home, Range{k, k + 1});
        }
      }
      const int64_t q = 8 * 64 * 4, side = 8 * 4, kv = 2 * 128 * 4;  // float32
      EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape),
                moved * (q + q + side) + needed * kv);
      EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape),
                moved * (q + 2 * side + q) + needed * kv);
      const Plan again = plan_of("distca", problem, {{"received", "fetched_again"}});
      EXPECT_EQ(planned_bytes(again.backward, again, problem.shape),
                moved * (q + q + 2 * side + q) + 2 * needed * kv);
    }
  }
}

TEST(DistcaPlan, NothingMovesWhereWorkIsEqual) {
  const Problem problem = problem_of({64, 64, 64, 64}, 4);
  const Plan plan = plan_of("distca", problem);
  EXPECT_TRUE(plan.forward.sends.empty());
  EXPECT_EQ(plan.forward.steps, 1);
}

}  // namespace
}  // namespace cpbench::distca
