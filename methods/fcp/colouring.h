// Conflict-free order of transfers: an edge colouring of the bipartite multigraph senders x
// receivers. In each colour a rank sends at most once and receives at most once, and the number of
// colours is the largest degree D, fewer than which no schedule can have (Koenig 1916).
//
// Alternating paths: an edge takes a colour that is free at both its ends. If there is none, one
// colour a is free at the sender and another, b, at the receiver; the path of colours a, b, a, ...
// that starts at the receiver never meets the sender, so swapping a and b along it frees a at both.
// O(E (N + D)), near E in practice.
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench::fcp {

struct Edge {
  int32_t from = 0;
  int32_t to = 0;
  int32_t stage = 0;  // wanted, one that there is
};

struct Colouring {
  int32_t colours = 0;          // the maximum degree; 0 without edges
  std::vector<int32_t> colour;  // of each edge
};

// The largest number of edges that one rank sends or receives.
int32_t max_degree(const std::vector<Edge>& edges, int32_t ranks);

// `stage_colours` consecutive colours make a stage. An edge gets a colour of the stage nearest to
// the one it wants in which both its ranks have one left; edges that come first choose first.
Colouring colour_edges(const std::vector<Edge>& edges, int32_t ranks, int32_t stage_colours);

}  // namespace cpbench::fcp
