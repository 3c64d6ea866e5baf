#include "methods/fcp/agenda.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cpbench::fcp {
namespace {

// Rank 0 has a job of two transfers, then one of four; rank 1 has one without any.
class FcpAgenda : public testing::Test {
 protected:
  FcpAgenda() {
    needs_.jobs = {{0, sets_.intern({{40, 44}}), 30}, {0, sets_.intern({{8, 12}}), 50}, {1, 0, 60}};
    for (int64_t key : {20, 60}) add(0, key);
    for (int64_t key : {0, 4, 12, 16}) add(1, key);
  }
  void add(int32_t job, int64_t key) {
    needs_.transfers.push_back({1, 0, job, sets_.intern({{key, key + 4}}), 10});
  }

  RangeSets sets_;
  Needs needs_;
};

// The longer job first: its own 10 pairs of 80, then from its place at 8 on and round to it.
TEST_F(FcpAgenda, JobsTakeTurnsAndBeginBehindThemselves) {
  const std::vector<double> found = turns(needs_, sets_, 2);
  const std::vector<double> pairs = {70, 60, 30, 40, 10, 20};
  ASSERT_EQ(found.size(), pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) EXPECT_DOUBLE_EQ(found[i], pairs[i] / 81) << i;
}

TEST_F(FcpAgenda, LocalAttentionIsWithTheFirstArrivalsOrBeforeThem) {
  const std::vector<int32_t> steps = local_steps(needs_, {2, 2, 0, 0, 1, 1}, 3, 2);
  EXPECT_LE(steps[1], 1);
  EXPECT_LE(steps[0], 3);
  EXPECT_GT(steps[0], steps[1]);
}

// Eight units of work that need nothing: the rank whose transfers all come late does them early,
// the other late.
TEST(FcpPace, WorkWithoutTransfersFillsTheStepsInWhichLittleArrives) {
  RangeSets sets;
  Needs needs;
  std::vector<int32_t> stage_of;
  for (int32_t rank : {0, 1}) {
    needs.jobs.push_back({rank, 0, 80});
    const auto remote = static_cast<int32_t>(needs.jobs.size()) - 1;
    for (int32_t i = 0; i < 8; ++i) {
      needs.transfers.push_back({1 - rank, rank, remote, 0, 10});
      stage_of.push_back(rank == 0 ? i / 4 : 2 + i / 4);
    }
    for (int i = 0; i < 8; ++i) needs.jobs.push_back({rank, 0, 10});
  }
  const std::vector<int32_t> steps = local_steps(needs, stage_of, 4, 2);
  const auto done_by = [&](size_t first_job, int32_t step) {
    return std::count_if(steps.begin() + first_job, steps.begin() + first_job + 8,
                         [&](int32_t s) { return s <= step; });
  };
  EXPECT_LE(done_by(1, 2), 2);
  EXPECT_GE(done_by(10, 2), 7);
}

TEST(FcpPace, WithoutStagesAllIsDoneAtOnce) {
  Needs needs;
  needs.jobs = {{0, 0, 5}, {0, 0, 7}};
  EXPECT_EQ(local_steps(needs, {}, 0, 1), (std::vector<int32_t>{0, 0}));
}

}  // namespace
}  // namespace cpbench::fcp
