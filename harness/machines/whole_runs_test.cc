#include "harness/machines/whole_runs.h"

#include <gtest/gtest.h>

#include <regex>

namespace cpbench {
namespace {

SimulatedRun measured() {
  return {.strategy = "ring", .cluster = "h100", .profile = "ideal", .ranks = 8, .documents = true};
}

bool matches(const SimulatedRun& run, const char* pattern) {
  return std::regex_match(whole_run_error(run), std::regex(pattern));
}

TEST(WholeRunsTest, ARunLikeThePublishedOnesHasTheirError) {
  EXPECT_TRUE(matches(measured(),
                      "whole runs of kind ring on documents: mean error [0-9]+%, worst "
                      "[0-9]+%"));
  SimulatedRun one = measured();
  one.documents = false;
  EXPECT_TRUE(matches(one, "whole runs of kind ring on one document: mean error .*"));
}

TEST(WholeRunsTest, WhatNoPublishedRunCoversIsSaid) {
  SimulatedRun run = measured();
  run.cluster = "b200";
  run.ranks = 64;
  run.nodes = 8;
  run.mask = Mask::sliding_window;
  EXPECT_TRUE(matches(run,
                      "whole runs of kind ring .*; no published run on b200; no published run with "
                      "more than 8 ranks; no published run on several nodes; no published run with "
                      "mask sliding_window"));
}

TEST(WholeRunsTest, AStrategyOrProfileThatWasNotPublishedHasNoError) {
  SimulatedRun run = measured();
  run.strategy = "exec:./planner.py";
  EXPECT_EQ(whole_run_error(run), "no published run of exec:./planner.py");
  run = measured();
  run.profile = "threads";
  EXPECT_EQ(whole_run_error(run),
            "no published run of kind ring on documents with profile threads");
}

}  // namespace
}  // namespace cpbench
