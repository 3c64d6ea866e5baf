// The dynamic program against two oracles: the recurrence as it is written, and a binary search on
// the time of the slowest bin.
#include "methods/flexcp/degrees.h"

#include <gtest/gtest.h>

#include <limits>

#include "methods/flexcp/test_batches.h"

namespace cpbench::flexcp {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double by_recurrence(const std::vector<Bin>& bins, int32_t ranks, const GroupCost& cost) {
  std::vector<double> before(ranks + 1, 0);
  for (const Bin& bin : bins) {
    std::vector<double> after(ranks + 1, kNever);
    for (int32_t n = 0; n <= ranks; ++n) {
      for (int32_t d = bin.least_ranks; d <= n; ++d) {
        after[n] = std::min(after[n], std::max(before[n - d], cost.ring_seconds(bin.load, d)));
      }
    }
    before = after;
  }
  return before[ranks];
}

// The least T among all T_k(d) at which every bin has a degree that keeps within T, summing to N.
double by_binary_search(const std::vector<Bin>& bins, int32_t ranks, const GroupCost& cost) {
  std::vector<double> times;
  for (const Bin& bin : bins) {
    for (int32_t d = bin.least_ranks; d <= ranks; ++d) {
      times.push_back(cost.ring_seconds(bin.load, d));
    }
  }
  std::sort(times.begin(), times.end());
  auto feasible = [&](double limit) {
    int64_t needed = 0;
    for (const Bin& bin : bins) {
      int32_t d = bin.least_ranks;
      while (d <= ranks && cost.ring_seconds(bin.load, d) > limit) ++d;
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
    const GroupCost cost(problem);
    std::vector<Bin> bins;
    int32_t needed = 0;
    const Loads loads = loads_of(problem);
    for (Bin& bin : best_fit(loads, longest_first(loads), 2 * batch.tokens() / ranks + 1)) {
      if (needed + bin.least_ranks > ranks) break;
      needed += bin.least_ranks;
      bins.push_back(bin);
    }
    choose_degrees(bins, ranks, cost);
    int32_t used = 0;
    for (const Bin& bin : bins) {
      EXPECT_GE(bin.degree, bin.least_ranks);
      used += bin.degree;
    }
    EXPECT_LE(used, ranks);
    EXPECT_EQ(slowest_seconds(bins, cost), by_recurrence(bins, ranks, cost)) << i;
    EXPECT_EQ(slowest_seconds(bins, cost), by_binary_search(bins, ranks, cost)) << i;
    const double before = slowest_seconds(bins, cost);
    spend_leftover(bins, ranks, cost);
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
  const GroupCost cost(problem);
  const Loads loads = loads_of(problem);
  std::vector<Bin> bins = best_fit(loads, longest_first(loads), 65536);
  ASSERT_EQ(bins.size(), 2u);
  bins[0].degree = bins[1].degree = 2;
  spend_leftover(bins, 5, cost);
  EXPECT_EQ(bins[0].degree + bins[1].degree, 5);
}

// Short sequences gain nothing from a second rank: hops cost more than the work they save.
TEST(FlexcpDegrees, IdleRanksStayIdle) {
  Problem problem = layer_problem({.document_lengths = {16}}, 8);
  problem.shape.hidden_size = 0;
  const GroupCost cost(problem);
  const Loads loads = loads_of(problem);
  std::vector<Bin> bins = best_fit(loads, longest_first(loads), 16);
  choose_degrees(bins, 8, cost);
  spend_leftover(bins, 8, cost);
  EXPECT_EQ(bins[0].degree, 1);
}

}  // namespace
}  // namespace cpbench::flexcp
