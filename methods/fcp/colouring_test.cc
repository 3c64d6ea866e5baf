#include "methods/fcp/colouring.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

namespace cpbench::fcp {
namespace {

// Every colour is a matching, and the colours are exactly as many as the largest degree.
void expect_proper(const std::vector<Edge>& edges, int32_t ranks, int32_t stage_colours = 1) {
  const Colouring found = colour_edges(edges, ranks, stage_colours);
  EXPECT_EQ(found.colours, max_degree(edges, ranks));
  ASSERT_EQ(found.colour.size(), edges.size());
  std::set<std::pair<int32_t, int32_t>> sends, receives;
  std::set<int32_t> used;
  for (size_t i = 0; i < edges.size(); ++i) {
    ASSERT_GE(found.colour[i], 0);
    ASSERT_LT(found.colour[i], found.colours);
    EXPECT_TRUE(sends.insert({edges[i].from, found.colour[i]}).second) << "edge " << i;
    EXPECT_TRUE(receives.insert({edges[i].to, found.colour[i]}).second) << "edge " << i;
    used.insert(found.colour[i]);
  }
  EXPECT_EQ(static_cast<int32_t>(used.size()), found.colours);
}

TEST(FcpColouring, NothingToColour) {
  EXPECT_EQ(colour_edges({}, 4, 16).colours, 0);
  EXPECT_EQ(max_degree({}, 4), 0);
}

TEST(FcpColouring, ParallelEdgesTakeTurns) { expect_proper({{0, 1}, {0, 1}, {0, 1}}, 2); }

// First-fit alone would need 3 colours: the last edge meets colour 0 at one end, 1 at the other.
TEST(FcpColouring, AlternatingPathSavesAColour) {
  expect_proper({{0, 1}, {0, 2}, {1, 3}, {2, 3}, {1, 1}, {2, 2}}, 4);
  expect_proper({{0, 1}, {1, 2}, {2, 1}, {2, 3}, {1, 3}, {0, 2}}, 4);
}

TEST(FcpColouring, ExactlyTheMaximumDegreeOnAnyMultigraph) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const auto ranks = static_cast<int32_t>(1 + random() % 20);
    const size_t skew = 1 + random() % 3;  // of 1: all ranks alike
    std::vector<Edge> edges(random() % 600);
    for (Edge& e : edges) {
      e.from = static_cast<int32_t>(random() % ranks / skew);
      e.to = static_cast<int32_t>(random() % ranks);
    }
    const auto stage_colours = static_cast<int32_t>(1 + random() % 20);
    const int32_t stages = (max_degree(edges, ranks) + stage_colours - 1) / stage_colours;
    for (Edge& e : edges) e.stage = static_cast<int32_t>(random() % stages);
    expect_proper(edges, ranks, stage_colours);
  }
}

// Regular graphs are the hard case: every rank is busy in every colour.
TEST(FcpColouring, RegularGraphsHaveNoIdleSlot) {
  std::mt19937_64 random(4);
  for (int32_t ranks : {2, 5, 64}) {
    std::vector<Edge> edges;
    for (int copy = 0; copy < 70; ++copy) {
      std::vector<int32_t> to(ranks);
      for (int32_t r = 0; r < ranks; ++r) to[r] = r;
      for (int32_t r = ranks; r > 1; --r) std::swap(to[r - 1], to[random() % r]);
      for (int32_t r = 0; r < ranks; ++r) edges.push_back({r, to[r]});
    }
    expect_proper(edges, ranks);
    EXPECT_EQ(colour_edges(edges, ranks, 1).colours, 70);
  }
}

// Six transfers from 0 to 1, three stages of two: each in the stage that it wants.
TEST(FcpColouring, AStageThatHasRoomIsGiven) {
  const std::vector<Edge> edges = {{0, 1, 2}, {0, 1, 0}, {0, 1, 1},
                                   {0, 1, 2}, {0, 1, 1}, {0, 1, 0}};
  const Colouring found = colour_edges(edges, 2, 2);
  for (size_t i = 0; i < edges.size(); ++i) EXPECT_EQ(found.colour[i] / 2, edges[i].stage);
}

// The third edge, which prefers stage 2 of four, is in a stage next to it.
TEST(FcpColouring, ElseTheNearestStageWithRoomAtBothEnds) {
  std::vector<Edge> edges = {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 2, 0},
                             {0, 2, 0}, {0, 3, 1}, {0, 3, 3}};
  const Colouring found = colour_edges(edges, 4, 2);
  EXPECT_EQ(found.colours, 7);
  EXPECT_EQ(found.colour[0] / 2, 2);
  EXPECT_EQ(found.colour[1] / 2, 2);
  EXPECT_EQ(std::abs(found.colour[2] / 2 - 2), 1);
}

}  // namespace
}  // namespace cpbench::fcp
