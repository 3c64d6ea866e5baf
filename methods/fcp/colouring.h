// A conflict-free order of transfers: an edge colouring of the bipartite multigraph senders x
// receivers. In each colour a rank sends at most once and receives at most once. The number of
// colours is the largest degree D, and no schedule can have fewer (Koenig 1916).
//
// Alternating paths: an edge takes a colour that is free at both of its ends. If there is none,
// some colour a is free at the sender and another colour b at the receiver. The path of colours a,
// b, a, ... that starts at the receiver never meets the sender, so swapping a and b along it makes
// a free at both ends. This takes O(E (N + D)) time, and near E in practice.
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench::fcp {

struct Edge {
  int32_t from = 0;
  int32_t to = 0;
  int32_t stage = 0;  // the preferred stage; must exist
};

struct Colouring {
  int32_t colours = 0;          // the largest degree; 0 without edges
  std::vector<int32_t> colour;  // of each edge
};

// The largest number of edges that one rank sends or that one rank receives.
int32_t max_degree(const std::vector<Edge>& edges, int32_t ranks);

// A stage is `stage_colours` consecutive colours. An edge gets a colour of the stage nearest to its
// preferred one in which both of its ranks have one left. Earlier edges choose first.
Colouring colour_edges(const std::vector<Edge>& edges, int32_t ranks, int32_t stage_colours);

}  // namespace cpbench::fcp
