// Placement as hypergraph partitioning. The vertices are data blocks (weight: tokens) and compute
// blocks (weight: pairs). Each vertex lies on exactly two edges: one for Q and O of a data block,
// one for K and V of a data block. The bytes that move are the connectivity metric: each edge costs
// its bytes once for every part with one of its vertices, except the first.
//
//   Parts part_of = partition(graph, 8, {.tokens = 4096, .pairs = 1e6});
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace cpbench::dcp {

enum class Kind : uint8_t { data, compute };

struct Vertex {
  Kind kind = Kind::data;
  int64_t weight = 0;            // tokens or pairs, which are balanced separately
  std::array<int32_t, 2> edges;  // that of Q and O, that of K and V
};

struct Hypergraph {
  std::vector<Vertex> vertices;
  std::vector<int64_t> edge_bytes;
};

// The most that one part may hold of each kind, as far as that can be reached.
struct Limits {
  double tokens = 0;
  double pairs = 0;
};

using Parts = std::vector<int32_t>;  // the part of each vertex

int64_t connectivity_bytes(const Hypergraph& graph, const Parts& part_of, int32_t parts);
// The weight of each part.
std::vector<int64_t> loads(const Hypergraph& graph, const Parts& part_of, int32_t parts, Kind kind);

// The best of several starts, each improved by `refine`. One is METIS on the graph in which every
// edge is a star around its data block, with both weights as constraints. Another has the data
// blocks in order, and compute blocks where their queries are; with fewer than 8 vertices per part
// METIS is left out. `also`, if not empty, is one more start. Deterministic. Throws Unsupported if
// METIS is required and the build has none.
Parts partition(const Hypergraph& graph, int32_t parts, Limits limits, Parts also = {});

// The partition of METIS, without refinement (metis_start.cc).
Parts metis_start(const Hypergraph& graph, int32_t parts);

// Moves vertices out of parts above their limit. Then moves single vertices, and all vertices of an
// edge in one part together, wherever the metric decreases within the limits, until nothing
// improves.
void refine(const Hypergraph& graph, int32_t parts, Limits limits, Parts& part_of);

}  // namespace cpbench::dcp
