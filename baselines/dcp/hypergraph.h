// Placement as hypergraph partitioning. Vertices are data blocks (weight: tokens) and compute
// blocks (weight: pairs). Each lies on exactly two edges: Q and O of one data block, K and V of
// one. The bytes that move are the connectivity metric: each edge costs its bytes once per part,
// beyond the first, that has one of its vertices.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace cpbench::dcp {

enum class Kind : uint8_t { data, compute };

struct Vertex {
  Kind kind = Kind::data;
  int64_t weight = 0;            // tokens or pairs: balanced apart
  std::array<int32_t, 2> edges;  // Q and O; K and V
};

struct Hypergraph {
  std::vector<Vertex> vertices;
  std::vector<int64_t> edge_bytes;
};

// The most that one part may hold of each kind, where that can be reached.
struct Limits {
  double tokens = 0;
  double pairs = 0;
};

using Parts = std::vector<int32_t>;  // per vertex

int64_t connectivity_bytes(const Hypergraph& graph, const Parts& part_of, int32_t parts);
// Per part.
std::vector<int64_t> loads(const Hypergraph& graph, const Parts& part_of, int32_t parts, Kind kind);

// The best of these starts, each taken through `refine`: METIS on the graph in which every edge is
// a star around its data block, with both weights as constraints; and data blocks in order, compute
// blocks where their queries are. With fewer than 8 vertices per part the second alone.
// Deterministic. Throws Unsupported where METIS is needed and the build has none.
// `also` is one more start, if not empty.
Parts partition(const Hypergraph& graph, int32_t parts, Limits limits, Parts also = {});

// METIS alone (metis_start.cc).
Parts metis_start(const Hypergraph& graph, int32_t parts);

// Moves vertices out of parts above their limit, then single vertices and all of an edge's vertices
// in one part together wherever the metric falls within the limits, until nothing gains.
void refine(const Hypergraph& graph, int32_t parts, Limits limits, Parts& part_of);

}  // namespace cpbench::dcp
