#include "workloads/summary.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

TEST(SummaryTest, LengthsOfASmallSample) {
  LengthSummary summary = summarize_lengths({4, 1, 9, 4});
  EXPECT_EQ(summary.documents, 4);
  EXPECT_EQ(summary.tokens, 18);
  EXPECT_EQ(summary.shortest, 1);
  EXPECT_EQ(summary.longest, 9);
  EXPECT_EQ(summary.mean, 4.5);
  ASSERT_EQ(summary.bins.size(), 4u);  // 1, 2-3, 4-7, 8-15
  EXPECT_EQ(summary.bins[0].documents, 1);
  EXPECT_EQ(summary.bins[1].documents, 0);
  EXPECT_EQ(summary.bins[2].documents, 2);
  EXPECT_EQ(summary.bins[2].tokens, 8);
  EXPECT_EQ(summary.bins[3].low, 8);
  EXPECT_EQ(summary.quantiles.front().length, 1);
  EXPECT_EQ(summary.quantiles.back().length, 9);
  for (LengthQuantile q : summary.quantiles) {
    EXPECT_EQ(q.length, q.share <= 0.25 ? 1 : q.share <= 0.75 ? 4 : 9) << q.share;
  }
}

TEST(SummaryTest, OneDocument) {
  LengthSummary summary = summarize_lengths({7});
  ASSERT_EQ(summary.bins.size(), 1u);
  EXPECT_EQ(summary.bins[0].low, 4);
  EXPECT_EQ(summary.quantiles.front().length, 7);
}

TEST(SummaryTest, Packs) {
  PackSummary pack = summarize_pack({.document_lengths = {3, 1, 4}});
  EXPECT_EQ(pack.tokens, 8);
  EXPECT_EQ(pack.documents, 3);
  EXPECT_EQ(pack.longest, 4);
  EXPECT_EQ(pack.sum_of_squares, 26);
  EXPECT_EQ(pack.causal_pairs, 6 + 1 + 10);
}

TEST(SummaryTest, TheLargestPackDoesNotOverflow) {
  int64_t tokens = int64_t{1} << 31;
  PackSummary pack = summarize_pack({.document_lengths = {tokens}});
  EXPECT_EQ(pack.sum_of_squares, int64_t{1} << 62);
  EXPECT_EQ(pack.causal_pairs, (int64_t{1} << 61) + (int64_t{1} << 30));
}

TEST(SummaryTest, ReportOfAWorkload) {
  WorkloadReport report =
      summarize(*find_workload("uniform:min=512,max=4K"), {.tokens = 65536, .packs = 3}, 5000);
  ASSERT_EQ(report.packs.size(), 3u);
  for (const PackSummary& pack : report.packs) {
    EXPECT_EQ(pack.tokens, 65536);
    EXPECT_EQ(2 * pack.causal_pairs, pack.sum_of_squares + pack.tokens);
  }
  EXPECT_EQ(report.lengths.documents, 5000);
  EXPECT_NEAR(report.lengths.mean, 2304, 80);
  int64_t documents = 0;
  for (const LengthBin& bin : report.lengths.bins) documents += bin.documents;
  EXPECT_EQ(documents, 5000);
}

}  // namespace
}  // namespace cpbench
