#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "baselines/magi/dispatch.h"
#include "baselines/magi/group_cast.h"
#include "baselines/magi/query_moves.h"
#include "harness/plan/mask.h"
#include "harness/strategy/test_plans.h"

namespace cpbench::magi {
namespace {

Problem problem_of(std::vector<int64_t> lengths, int32_t ranks, Mask mask = Mask::document_causal) {
  return problem_of(batch_of(std::move(lengths), mask, 5), ranks, {8, 2});
}

std::vector<int64_t> areas_of_rank(const std::vector<int64_t>& areas, int32_t ranks, int32_t rank) {
  const std::vector<int32_t> rank_of = dispatch(areas, ranks);
  std::vector<int64_t> out;
  for (size_t c = 0; c < areas.size(); ++c) {
    if (rank_of[c] == rank) out.push_back(areas[c]);
  }
  return out;
}

// The worked example in the comment of upstream's min-heap solver: MagiAttention,
// magi_attention/meta/solver/dispatch_solver.py, DispatchSolver._solve_with_minhp.
TEST(MagiDispatch, AgreesWithUpstreamsWorkedExample) {
  const std::vector<int64_t> areas = {8, 7, 6, 5, 4, 2, 2, 2};
  EXPECT_EQ(areas_of_rank(areas, 2, 0), (std::vector<int64_t>{8, 5, 4, 2}));
  EXPECT_EQ(areas_of_rank(areas, 2, 1), (std::vector<int64_t>{7, 6, 2, 2}));
}

// Upstream (the same function) sorts in ascending order, stably, and reverses, so of equal areas
// the higher index comes first. It allows ceil(jobs / buckets) per bucket if they do not divide
// evenly.
TEST(MagiDispatch, EqualAreasGoHigherIndexFirst) {
  EXPECT_EQ(dispatch({3, 3, 3}, 3), (std::vector<int32_t>{2, 1, 0}));
  EXPECT_EQ(dispatch({3, 3, 3}, 2), (std::vector<int32_t>{0, 1, 0}));
}

TEST(MagiDispatch, FewerChunksThanRanksAndEmptyAreas) {
  EXPECT_EQ(dispatch({5}, 4), (std::vector<int32_t>{0}));
  EXPECT_EQ(dispatch({}, 2), (std::vector<int32_t>{}));
  // Chunks without area are still shared in equal numbers.
  EXPECT_EQ(dispatch({0, 0, 0, 0}, 2), (std::vector<int32_t>{1, 1, 0, 0}));
}

// A causal document of 64 chunks on 8 ranks.
TEST(MagiDispatch, EqualCountsAndBalancedAreas) {
  std::vector<int64_t> areas;
  for (int64_t c = 0; c < 64; ++c) areas.push_back(2 * c + 1);
  const std::vector<int32_t> rank_of = dispatch(areas, 8);
  std::vector<int64_t> load(8, 0), count(8, 0);
  for (size_t c = 0; c < areas.size(); ++c) {
    load[rank_of[c]] += areas[c];
    ++count[rank_of[c]];
  }
  for (int32_t r = 0; r < 8; ++r) {
    EXPECT_EQ(count[r], 8);
    EXPECT_NEAR(static_cast<double>(load[r]), 512.0, 0.02 * 512);
  }
}

TEST(MagiGroupCast, EveryRankGetsWhatItNeedsAndNothingElse) {
  const std::vector<Ranges> homes = {{{0, 8}}, {{8, 12}, {14, 16}}, {{12, 14}}};
  const std::vector<Ranges> needed = {{{9, 13}}, {{0, 8}}, {{4, 10}}};
  const std::vector<Cast> expected = {{0, {1}, {0, 4}},   {0, {1, 2}, {4, 8}},
                                      {1, {2}, {8, 9}},   {1, {0, 2}, {9, 10}},
                                      {1, {0}, {10, 12}}, {2, {0}, {12, 13}}};
  EXPECT_EQ(group_casts(homes, needed), expected);
}

// README: K, V of the remote tokens that a rank needs travel once per receiver in both passes; dK,
// dV return.
TEST(MagiPlan, BytesAreTheClosedForm) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    for (int32_t ranks : {1, 2, 3, 8}) {
      for (const char* stages : {"1", "3"}) {
        const Problem problem = problem_of({61, 7, 1, 30, 102}, ranks, mask);
        const Plan plan = plan_of("magi", problem, {{"stages", stages}});
        // The number of distinct (rank, remote key) pairs, counted query by query.
        const MaskIndex index(problem.batch);
        int64_t needed = 0;
        for (int32_t r = 0; r < ranks; ++r) {
          std::vector<bool> seen(problem.tokens(), false);
          const RangeSpan home = plan.token_sets[plan.home[r]];
          for (const Range& range : home) {
            for (int64_t q = range.begin; q < range.end; ++q) {
              for_each_member(index.visible_keys(q), [&](int64_t k) { seen[k] = true; });
            }
          }
          for (int64_t k = 0; k < problem.tokens(); ++k) {
            needed += seen[k] && !contains(home, Range{k, k + 1});
          }
        }
        const int64_t kv = needed * 2 * (64 + 64) * 4;  // 2 KV heads, D = 64, float32
        EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), kv);
        EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), 2 * kv);
        const Plan kept = plan_of("magi", problem, {{"stages", stages}, {"received_kv", "kept"}});
        EXPECT_EQ(planned_bytes(kept.backward, kept, problem.shape), kv);
        EXPECT_EQ(violations(problem, kept), "");
      }
    }
  }
}

TEST(MagiQueryMoves, TheLastQueriesMoveInPlaceOfTheKeysThatOnlyTheySee) {
  const std::vector<Ranges> homes = {{{0, 70}, {80, 100}}, {{70, 80}, {100, 220}}};
  const auto moves_of = [&](Mask mask, MoveBytes bytes) {
    std::string text;
    for (const auto& [from, to, queries] :
         query_moves(MaskIndex(batch_of({100, 120}, mask, 5)), homes, bytes)) {
      text += std::to_string(from) + ">" + std::to_string(to);
      for (const Range& r : queries) {
        text += " " + std::to_string(r.begin) + "-" + std::to_string(r.end);
      }
      text += "; ";
    }
    return text;
  };
  // 10 queries against 70 keys; 20 queries against 10 keys.
  EXPECT_EQ(moves_of(Mask::document_causal, {4, 1}), "1>0 70-80; ");
  EXPECT_EQ(moves_of(Mask::document_causal, {8, 1}), "");
  EXPECT_EQ(moves_of(Mask::document_causal, {1, 3}), "0>1 80-100; 1>0 70-80; ");
  // Under a window of 5, both see 4 keys of the other.
  EXPECT_EQ(moves_of(Mask::sliding_window, {1, 1}), "");
}

// Rank 1 has the mean already, and what it would get is more than a tenth of it.
TEST(MagiQueryMoves, WorkStaysNearTheMean) {
  const std::vector<Ranges> homes = {{{0, 50}, {100, 150}}, {{50, 100}, {150, 190}}};
  const MaskIndex mask(Batch{{150, 40}});
  for (const MoveBytes bytes : {MoveBytes{1, 1}, MoveBytes{1, 100}}) {
    std::vector<int64_t> work = {mask.pairs(homes[0]), mask.pairs(homes[1])};
    const double most = std::max(1.1 * static_cast<double>(mask.pairs()) / 2,
                                 static_cast<double>(std::ranges::max(work)));
    for (const auto& [from, to, queries] : query_moves(mask, homes, bytes)) {
      work[from] -= mask.pairs(queries, homes[to]);
      work[to] += mask.pairs(queries, homes[to]);
    }
    EXPECT_LE(static_cast<double>(std::ranges::max(work)), most);
  }
}

// README: M moved queries of each (owner, receiver), W remote keys that the others need.
TEST(MagiPlan, BytesWithQueriesThatMoveAreTheClosedForm) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    for (int32_t ranks : {2, 3, 8}) {
      for (const char* kept : {"kept", "fetched_again"}) {
        // As many query heads as KV heads: Q costs half of K and V.
        const Problem problem =
            cpbench::problem_of(batch_of({61, 7, 1, 30, 402, 97}, mask, 5), ranks);
        const Plan without = plan_of("magi", problem, {{"received_kv", kept}});
        const Plan plan = plan_of("magi", problem, {{"received_kv", kept}, {"qo_comm", "true"}});
        ASSERT_EQ(violations(problem, plan), "");
        int64_t moved = 0, needed = 0;
        for (const Send& send : plan.forward.sends) {
          const int64_t tokens =
              plan.token_sets.size_of(send.tokens) * plan.rank_sets.size_of(send.to);
          if (send.tensor == Tensor::q) moved += tokens;
          if (send.tensor == Tensor::kv) needed += tokens;
        }
        if (mask == Mask::document_full) {
          EXPECT_GT(moved, 0);
        }
        const int64_t q = 8 * 64 * 4, side = 8 * 4, kv = 2 * q;  // float32
        const bool again = kept == std::string("fetched_again");
        EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape),
                  moved * (q + q + side) + needed * kv);
        EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape),
                  moved * (again * q + q + 2 * side + q) + needed * (again + 1) * kv);
        EXPECT_LE(planned_bytes(plan, problem.shape), planned_bytes(without, problem.shape));
      }
    }
  }
}

// 64 pieces and the keys at home are 65 items, so each of 4 stages brings 16 pieces.
TEST(MagiPlan, StagesShareWhatEachRankReceives) {
  const Problem problem = problem_of({65536}, 4);
  const Plan plan = plan_of("magi", problem, {{"stages", "4"}});
  ASSERT_EQ(violations(problem, plan), "");
  EXPECT_EQ(plan.forward.steps, 5);
  std::vector<std::vector<int64_t>> received(4, std::vector<int64_t>(4, 0));
  for (const Send& send : plan.forward.sends) {
    for (const Range& to : plan.rank_sets[send.to]) {
      for (int64_t r = to.begin; r < to.end; ++r) {
        received[r][send.step] += plan.token_sets.size_of(send.tokens);
      }
    }
  }
  for (const auto& stages : received) {
    const int64_t total = std::accumulate(stages.begin(), stages.end(), int64_t{0});
    const auto [least, most] = std::minmax_element(stages.begin(), stages.end());
    EXPECT_GT(total, 64 * 512);
    EXPECT_LE(*most - *least, (total + 63) / 64);
  }
}

// With the rates of the cluster, a rank waits for its keys if they travel slowly: more stages hide
// them better.
TEST(MagiPlan, AutomaticStagesFollowTheCluster) {
  Problem problem = problem_of({65536}, 8);
  auto stages = [&](double bytes_per_second) {
    problem.cluster.intra_node_bytes_per_second = bytes_per_second;
    const double reported = property("magi", problem, "stages");
    EXPECT_EQ(plan_of("magi", problem).forward.steps, 1 + reported);
    return reported;
  };
  EXPECT_EQ(stages(1e15), 1);
  EXPECT_GT(stages(50e9), 1);
}

TEST(MagiPlan, SmallerChunksBalanceBetterAndTravelMore) {
  const Problem problem = problem_of({3000, 500, 200, 396}, 4);
  auto imbalance_and_bytes = [&](const char* chunk) {
    const Plan plan = plan_of("magi", problem, {{"chunk_tokens", chunk}});
    const MaskIndex mask(problem.batch);
    int64_t most = 0;
    for (SetId home : plan.home) most = std::max(most, mask.pairs(plan.token_sets[home]));
    return std::pair{most, planned_bytes(plan.forward, plan, problem.shape)};
  };
  const auto [coarse, few_bytes] = imbalance_and_bytes("512");
  const auto [fine, many_bytes] = imbalance_and_bytes("32");
  EXPECT_LT(fine, coarse);
  EXPECT_GT(many_bytes, few_bytes);
}

TEST(MagiPlan, MoreRanksThanTokens) {
  const Problem problem = problem_of({2, 1}, 8);
  const Plan plan = plan_of("magi", problem);
  EXPECT_EQ(violations(problem, plan), "");
  EXPECT_EQ(plan.forward.attends.front().step, 0);
}

}  // namespace
}  // namespace cpbench::magi
