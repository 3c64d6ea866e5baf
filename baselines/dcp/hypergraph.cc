#include "baselines/dcp/hypergraph.h"

#include <algorithm>
#include <utility>

namespace cpbench::dcp {
namespace {

// With fewer vertices per part, METIS has nothing to coarsen and may leave parts empty.
constexpr int64_t kFewVerticesPerPart = 8;
// Starts of the partitioner, each from its own seed: fewer for large graphs, so that planning takes
// seconds.
constexpr int64_t kMostSeeds = 3;
constexpr int64_t kSeedBudget = 160'000;  // vertices times parts of all its starts

// Data blocks fill one part after another; a compute block goes to the part of its queries.
Parts contiguous_start(const Hypergraph& graph, int32_t parts) {
  int64_t total = 0;  // 0 if all data blocks are in other nodes
  for (const Vertex& v : graph.vertices) total += v.kind == Kind::data ? v.weight : 0;
  Parts part_of(graph.vertices.size(), 0);
  std::vector<int32_t> part_of_edge(graph.edge_bytes.size(), 0);
  int64_t before = 0;
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    const Vertex& vertex = graph.vertices[v];
    if (vertex.kind == Kind::data) {
      part_of[v] = static_cast<int32_t>((2 * before + vertex.weight) * parts / (2 * total));
      for (int32_t e : vertex.edges) part_of_edge[e] = part_of[v];
      before += vertex.weight;
    }
  }
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    const Vertex& vertex = graph.vertices[v];
    if (vertex.kind == Kind::compute) part_of[v] = part_of_edge[vertex.edges[0]];
  }
  return part_of;
}

}  // namespace

int64_t connectivity_bytes(const Hypergraph& graph, const Parts& part_of, int32_t parts) {
  std::vector<bool> touched(graph.edge_bytes.size() * parts, false);
  std::vector<int32_t> count(graph.edge_bytes.size(), 0);
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    for (int32_t e : graph.vertices[v].edges) {
      const size_t at = static_cast<size_t>(e) * parts + part_of[v];
      if (!touched[at]) ++count[e];
      touched[at] = true;
    }
  }
  int64_t bytes = 0;
  for (size_t e = 0; e < count.size(); ++e) {
    bytes += std::max(0, count[e] - 1) * graph.edge_bytes[e];
  }
  return bytes;
}

std::vector<int64_t> loads(const Hypergraph& graph, const Parts& part_of, int32_t parts,
                           Kind kind) {
  std::vector<int64_t> load(parts, 0);
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    if (graph.vertices[v].kind == kind) load[part_of[v]] += graph.vertices[v].weight;
  }
  return load;
}

double excess(const Hypergraph& graph, const Parts& part_of, int32_t parts, Limits limits) {
  double worst = 0;
  for (auto [kind, limit] : {std::pair{Kind::data, limits.tokens}, {Kind::compute, limits.pairs}}) {
    if (limit <= 0) continue;
    for (int64_t load : loads(graph, part_of, parts, kind)) {
      worst = std::max(worst, static_cast<double>(load) / limit - 1);
    }
  }
  return worst;
}

Parts partition(const Hypergraph& graph, int32_t parts, Limits limits,
                const Partitioner& partitioner, std::string& failure, Parts also) {
  const auto vertices = static_cast<int64_t>(graph.vertices.size());
  if (parts == 1 || vertices == 0) return Parts(graph.vertices.size(), 0);
  std::vector<Parts> starts = {contiguous_start(graph, parts)};
  if (vertices >= kFewVerticesPerPart * parts) {
    const int64_t seeds = std::clamp<int64_t>(kSeedBudget / (vertices * parts), 1, kMostSeeds);
    for (int32_t seed = 1; seed <= seeds; ++seed) {
      starts.push_back(partitioner(graph, parts, limits, seed, failure));
      if (starts.back().empty()) break;
    }
  }
  starts.push_back(std::move(also));
  starts.push_back(whole_start(graph, parts, limits));
  Parts best;
  std::pair<double, int64_t> best_quality;
  for (Parts& part_of : starts) {
    if (part_of.empty()) continue;
    refine(graph, parts, limits, part_of);
    const std::pair quality{excess(graph, part_of, parts, limits),
                            connectivity_bytes(graph, part_of, parts)};
    if (best.empty() || quality < best_quality) {
      best = std::move(part_of);
      best_quality = quality;
    }
  }
  return best;
}

}  // namespace cpbench::dcp
