// The dynamic program against two oracles: the recurrence as it is written, and a binary search on
// the time of the slowest bin.
#include "methods/flexcp/degrees.h"

#include <gtest/gtest.h>

#include <limits>

#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double by_recurrence(const std::vector<Bin>& bins, int32_t ranks, const Cost& cost) {
  std::vector<double> before(ranks + 1, 0);
  for (const Bin& bin : bins) {
    std::vector<double> after(ranks + 1, kNever);
    for (int32_t n = 0; n <= ranks; ++n) {
      for (int32_t d = bin.least_ranks; d <= n; ++d) {
        after[n] = std::min(after[n], std::max(before[n - d], cost.seconds(bin.load, d)));
      }
    }
    before = after;
  }
  return before[ranks];
}

// The least T among all T_k(d) at which every bin has a degree that keeps within T, summing to N.
double by_binary_search(const std::vector<Bin>& bins, int32_t ranks, const Cost& cost) {
  std::vector<double> times;
  for (const Bin& bin : bins) {
    for (int32_t d = bin.least_ranks; d <= ranks; ++d) {
      times.push_back(cost.seconds(bin.load, d));
    }
  }
  std::sort(times.begin(), times.end());
  auto feasible = [&](double limit) {
    int64_t needed = 0;
    for (const Bin& bin : bins) {
      int32_t d = bin.least_ranks;
      while (d <= ranks && cost.seconds(bin.load, d) > limit) ++d;
      needed += d;  // one too many if there is none
    }
    return needed <= ranks;
  };
  return *std::partition_point(times.begin(), times.end(), [&](double t) { return !feasible(t); });
}

TEST(FlexcpDegrees, DynamicProgramAgreesWithBothOracles) {
  Random random(6);
  for (int i = 0; i < 400; ++i) {
    const auto ranks = static_cast<int32_t>(random.between(1, 40));
    Batch batch;
    for (int64_t n = random.between(1, 20); n > 0; --n) {
      const bool tiny = random.between(0, 2) == 0;
      batch.document_lengths.push_back(tiny ? random.between(1, 64) : random.between(1, 200000));
    }
    Problem problem = layer_problem(batch, ranks);
    if (random.between(0, 1)) problem.shape.hidden_size = 0;  // slow links next to little work
    if (random.between(0, 1)) problem.cluster.inter_node_bytes_per_second = 1e9;
    const Cost cost(problem, {.model = CostModel::ring});
    std::vector<Bin> bins;
    int32_t needed = 0;
    const Loads loads = loads_of(problem);
    for (Bin& bin : best_fit(loads, longest_first(loads), 2 * batch.tokens() / ranks + 1, ranks)) {
      if (needed + bin.least_ranks > ranks) break;
      needed += bin.least_ranks;
      bins.push_back(bin);
    }
    choose_degrees(bins, ranks, ranks, cost);
    int32_t used = 0;
    for (const Bin& bin : bins) {
      EXPECT_GE(bin.degree, bin.least_ranks);
      used += bin.degree;
    }
    EXPECT_LE(used, ranks);
    EXPECT_EQ(slowest_seconds(bins, cost), by_recurrence(bins, ranks, cost)) << i;
    EXPECT_EQ(slowest_seconds(bins, cost), by_binary_search(bins, ranks, cost)) << i;
    const double before = slowest_seconds(bins, cost);
    spend_leftover(bins, ranks, ranks, Leftover::slowest, cost);
    used = 0;
    for (const Bin& bin : bins) used += bin.degree;
    EXPECT_LE(used, ranks);
    EXPECT_EQ(slowest_seconds(bins, cost), before);  // it was the optimum
    if (HasFailure()) return;
  }
}

// Two bins alike on five ranks: two each, and the fifth makes one of them faster.
TEST(FlexcpDegrees, LeftoverGoesToTheSlowest) {
  const Problem problem = layer_problem({.document_lengths = {65536, 65536}}, 5);
  const Cost cost(problem, {.model = CostModel::ring});
  const Loads loads = loads_of(problem);
  std::vector<Bin> bins = best_fit(loads, longest_first(loads), 65536, 5);
  ASSERT_EQ(bins.size(), 2u);
  bins[0].degree = bins[1].degree = 2;
  spend_leftover(bins, 5, 5, Leftover::slowest, cost);
  EXPECT_EQ(bins[0].degree + bins[1].degree, 5);
}

// The published rule: no rank is idle, except where all groups have the most ranks.
TEST(FlexcpDegrees, LeftoverIsDealtInTurn) {
  const Problem problem = layer_problem({.document_lengths = {65536, 65536, 65536}}, 9);
  const Cost cost(problem);
  const Loads loads = loads_of(problem);
  std::vector<Bin> bins = best_fit(loads, longest_first(loads), 65536, 9);
  const auto degrees = [&](int32_t ranks, int32_t max_degree) {
    for (Bin& bin : bins) bin.degree = 1;
    bins[0].degree = 3;
    spend_leftover(bins, ranks, max_degree, Leftover::round_robin, cost);
    return std::vector<int32_t>{bins[0].degree, bins[1].degree, bins[2].degree};
  };
  EXPECT_EQ(degrees(9, 9), (std::vector<int32_t>{5, 2, 2}));
  EXPECT_EQ(degrees(9, 3), (std::vector<int32_t>{3, 3, 3}));
  EXPECT_EQ(degrees(9, 2), (std::vector<int32_t>{3, 2, 2}));
}

TEST(FlexcpDegrees, NoDegreeIsAboveTheMost) {
  const Problem problem = layer_problem({.document_lengths = {300000, 2000, 2000}}, 16);
  const Cost cost(problem);
  const Loads loads = loads_of(problem);
  std::vector<Bin> bins = best_fit(loads, longest_first(loads), 38000, 5);
  choose_degrees(bins, 16, 5, cost);
  EXPECT_EQ(bins[0].sequences.size(), 1u);
  EXPECT_EQ(bins[0].degree, 5);
}

// Short sequences gain nothing from a second rank: hops cost more than the work they save.
TEST(FlexcpDegrees, IdleRanksStayIdle) {
  Problem problem = layer_problem({.document_lengths = {16}}, 8);
  problem.shape.hidden_size = 0;
  const Cost cost(problem, {.model = CostModel::ring});
  const Loads loads = loads_of(problem);
  std::vector<Bin> bins = best_fit(loads, longest_first(loads), 16, 8);
  choose_degrees(bins, 8, 8, cost);
  spend_leftover(bins, 8, 8, Leftover::slowest, cost);
  EXPECT_EQ(bins[0].degree, 1);
}

}  // namespace
}  // namespace cpbench::flexcp
