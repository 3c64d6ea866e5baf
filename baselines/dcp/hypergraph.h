// Placement as hypergraph partitioning. The vertices are data blocks (weight: tokens) and compute
// blocks (weight: pairs). For each group of heads, a data block has one edge for its Q and O and
// one for its K and V; a compute block lies on the edge of its queries and on that of its keys. The
// bytes that move are the connectivity metric: each edge costs its bytes once for every part with
// one of its vertices, except the first.
//
//   Parts part_of = partition(graph, 8, {.tokens = 4096, .pairs = 1e6});
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cpbench::dcp {

enum class Kind : uint8_t { data, compute };

struct Vertex {
  Kind kind = Kind::data;
  int64_t weight = 0;          // tokens or pairs, which are balanced separately
  std::vector<int32_t> edges;  // of Q and O, of K and V; of a data block so for each group
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

// How far the worst part is above its limit, as a fraction of the limit; 0 within the limits.
double excess(const Hypergraph& graph, const Parts& part_of, int32_t parts, Limits limits);

// Makes a partition of a graph into parts, about within the limits; another seed may make another
// one. If it fails, it sets the text to the reason and returns no parts.
using Partitioner = std::function<Parts(const Hypergraph&, int32_t parts, Limits, int32_t seed,
                                        std::string& failure)>;

// The best of several starts, each improved by `refine`: data blocks in order with compute blocks
// where their queries are; those of `partitioner` from 1 to 3 seeds, which are left out with fewer
// than 8 vertices per part; `also`, if not empty; and whole documents. Within the limits, fewer
// bytes are better, and of equal starts the first is taken. If `partitioner` fails, `failure` has
// its reason.
Parts partition(const Hypergraph& graph, int32_t parts, Limits limits,
                const Partitioner& partitioner, std::string& failure, Parts also = {});

// The partition of METIS on the graph in which every edge is a star around its data block, with
// both weights as constraints, without refinement (metis_start.cc). Deterministic. Throws
// Unsupported if the build has no METIS.
Parts metis_start(const Hypergraph& graph, int32_t parts, Limits limits, int32_t seed,
                  std::string& failure);

// Keeps vertices that edges connect together, so that no bytes move: whole documents, the most
// pairs first, each to the part that it leaves least filled, in tokens or pairs, whichever is
// fuller (whole_start.cc). A part is above its limits only if no part had room.
Parts whole_start(const Hypergraph& graph, int32_t parts, Limits limits);

// Moves vertices out of parts above their limit. Then, within the limits and until nothing
// improves: passes of Fiduccia and Mattheyses over single vertices, data blocks that change places,
// and all vertices of an edge in one part together.
void refine(const Hypergraph& graph, int32_t parts, Limits limits, Parts& part_of);

}  // namespace cpbench::dcp
