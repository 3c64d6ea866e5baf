#include <gtest/gtest.h>

#include <algorithm>

#include "baselines/megatron_dynamic/micro_batches.h"
#include "harness/strategy/test_plans.h"
#include "methods/flexcp/test_batches.h"

namespace cpbench {
namespace {

using flexcp::layer_problem;
using megatron_dynamic::Limits;
using megatron_dynamic::micro_batches;

// (ranks, sequences) of each group of each micro-batch.
using Shape = std::vector<std::vector<std::pair<int32_t, std::vector<int32_t>>>>;
Shape shape_of(const std::vector<std::vector<Group>>& batches) {
  Shape shape;
  for (const std::vector<Group>& groups : batches) {
    shape.emplace_back();
    for (const Group& group : groups) shape.back().emplace_back(group.degree(), group.sequences);
  }
  return shape;
}

// The scheduler with the work of every rank, for comparison. `ranks` must be a power of two, unless
// groups have any size.
Shape slow_micro_batches(const std::vector<int64_t>& lengths, const Limits& limits) {
  std::vector<int32_t> rest(lengths.size());
  for (size_t i = 0; i < rest.size(); ++i) rest[i] = static_cast<int32_t>(i);
  std::stable_sort(rest.begin(), rest.end(),
                   [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
  Shape shape;
  while (!rest.empty()) {
    struct Bin {
      std::vector<int32_t> ranks, sequences;
      double tokens = 0;
    };
    std::vector<Bin> bins;
    std::vector<double> work(limits.ranks, 0);
    std::vector<int32_t> left;
    const double cap = 1.05 * static_cast<double>(lengths[rest[0]] * limits.per_rank);
    int32_t used = 0;
    for (const int32_t s : rest) {
      const auto length = static_cast<double>(lengths[s]);
      double best = 0;
      int32_t best_bin = -1, best_size = 0;
      for (int64_t size = fewest_ranks(lengths[s], limits); size <= limits.ranks;
           size = limits.any_size ? size + 1 : 2 * size) {
        for (size_t b = 0; b <= bins.size(); ++b) {
          const bool fresh = b == bins.size();
          std::vector<int32_t> ranks;
          if (fresh) {
            for (int32_t r = used; r < used + size; ++r) ranks.push_back(r);
          } else {
            ranks = bins[b].ranks;
          }
          if (fresh ? used + size > limits.ranks : static_cast<int64_t>(ranks.size()) != size)
            continue;
          if (!fresh && bins[b].tokens + length / size > limits.per_rank) continue;
          std::vector<double> then = work;
          for (const int32_t r : ranks) then[r] += length * length / size;
          const double busiest = *std::max_element(then.begin(), then.end());
          const bool first = bins.empty();  // the longest sequence takes its fewest ranks
          if (first ? best_size > 0 : busiest > cap || (best_size > 0 && busiest >= best)) continue;
          best = busiest;
          best_bin = static_cast<int32_t>(b);
          best_size = static_cast<int32_t>(size);
        }
      }
      if (best_size == 0) {
        left.push_back(s);
        continue;
      }
      if (best_bin == static_cast<int32_t>(bins.size())) {
        bins.emplace_back();
        while (static_cast<int32_t>(bins.back().ranks.size()) < best_size)
          bins.back().ranks.push_back(used++);
      }
      Bin& bin = bins[best_bin];
      bin.sequences.push_back(s);
      bin.tokens += length / best_size;
      for (const int32_t r : bin.ranks) work[r] += length * length / best_size;
    }
    std::vector<std::pair<int32_t, std::vector<int32_t>>> groups;
    for (const Bin& bin : bins) groups.emplace_back(bin.ranks.size(), bin.sequences);
    for (; used < limits.ranks;) {
      auto smallest =
          std::min_element(groups.begin(), groups.end(),
                           [](const auto& a, const auto& b) { return a.first < b.first; });
      const int32_t more = limits.any_size ? 1 : smallest->first;
      smallest->first += more;
      used += more;
    }
    shape.push_back(groups);
    rest = left;
  }
  return shape;
}

TEST(MegatronDynamicPlan, AgreesWithTheWorkOfEveryRank) {
  flexcp::Random random(31);
  for (int i = 0; i < 300; ++i) {
    const bool any_size = random.between(0, 1) == 1;
    const int32_t ranks = any_size ? random.between(1, 9) : 1 << random.between(0, 3);
    std::vector<int64_t> lengths(random.between(1, 20));
    for (int64_t& length : lengths)
      length = random.between(1, random.between(1, 3) == 1 ? 200 : 30);
    const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
    const Limits limits{.per_rank = (longest + ranks - 1) / ranks + random.between(0, 30),
                        .ranks = ranks,
                        .any_size = any_size};
    ASSERT_EQ(shape_of(micro_batches(lengths, limits)), slow_micro_batches(lengths, limits)) << i;
  }
}

// The examples of upstream's tests.
TEST(MegatronDynamicPlan, ShortSequencesJoinLargerGroups) {
  for (const bool any_size : {true, false}) {
    EXPECT_EQ(shape_of(micro_batches({6144, 2048}, {4096, 2, any_size})), (Shape{{{2, {0, 1}}}}));
  }
}
TEST(MegatronDynamicPlan, AllRanksTakeWhatPowersOfTwoDoNotFill) {
  EXPECT_EQ(shape_of(micro_batches({50, 50}, {100, 14, false})), (Shape{{{14, {0, 1}}}}));
  EXPECT_EQ(shape_of(micro_batches({50, 50}, {100, 14, true})), (Shape{{{7, {0}}, {7, {1}}}}));
}

// 5 and 3 ranks for 5 and 3 shares; powers of two do not fit next to one another.
TEST(MegatronDynamicPlan, GroupsOfAnySize) {
  EXPECT_EQ(shape_of(micro_batches({40, 24}, {8, 8, true})), (Shape{{{5, {0}}, {3, {1}}}}));
  EXPECT_EQ(shape_of(micro_batches({40, 24}, {8, 8, false})), (Shape{{{8, {0, 1}}}}));
}

// One document of 65,536 tokens on 4 ranks with 32K each needs two ranks and gets all four.
TEST(MegatronDynamicPlan, WidensOntoEmptyRanks) {
  for (const bool any_size : {true, false}) {
    EXPECT_EQ(shape_of(micro_batches({65536}, {32768, 4, any_size})), (Shape{{{4, {0}}}}));
  }
}

TEST(MegatronDynamicPlan, CorrectWithAnyTokensPerRank) {
  flexcp::Random random(13);
  for (int i = 0; i < 200; ++i) {
    const Batch batch = flashcp::random_batch(random, 12, 40);
    const Problem problem = problem_of(batch, random.between(1, 9));
    const int64_t least = 2 * (problem.tokens() / problem.ranks() + 1);
    const Settings set = {{"tokens_per_rank", std::to_string(random.between(least, 3 * least))},
                          {"sizes", i % 2 == 0 ? "any" : "power_of_two"}};
    ASSERT_EQ(violations(problem, plan_of("megatron_dynamic", problem, set)), "") << i;
  }
}

// README: a sequence of s tokens in a group of d ranks makes d - 1 hops.
TEST(MegatronDynamicPlan, BytesInClosedForm) {
  const Problem problem = layer_problem(flashcp::wlb_like_pack(1 << 18, 3), 16);
  const Plan plan = plan_of("megatron_dynamic", problem);
  int64_t hops = 0;
  for (const auto& groups : micro_batches(problem.batch.document_lengths, {16384, 16, true})) {
    for (const Group& group : groups) {
      for (const int32_t s : group.sequences) {
        hops += problem.batch.document_lengths[s] * (group.degree() - 1);
      }
    }
  }
  const int64_t kv = 8 * (128 + 128) * 2, dkv = 8 * (128 + 128) * 4;
  EXPECT_GT(hops, 0);
  EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), hops * kv);
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), hops * (kv + dkv));
}

TEST(MegatronDynamicPlan, RefusesWhatNoRanksHold) {
  const Problem problem = layer_problem({.document_lengths = {3, 100}}, 7);
  EXPECT_EQ(refusal("megatron_dynamic", problem, {{"tokens_per_rank", "10"}}),
            "a sequence of 100 tokens needs 10 ranks of 10 tokens, there are 7; raise "
            "tokens_per_rank to 15");
  EXPECT_EQ(
      refusal("megatron_dynamic", problem, {{"tokens_per_rank", "20"}, {"sizes", "power_of_two"}}),
      "a sequence of 100 tokens needs 8 ranks of 20 tokens, there are 7; raise tokens_per_rank to "
      "25");
  EXPECT_EQ(refusal("megatron_dynamic", problem, {{"tokens_per_rank", "15"}}), "");
}

}  // namespace
}  // namespace cpbench
