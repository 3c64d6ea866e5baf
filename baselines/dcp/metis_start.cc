// METIS (libmetis-dev, optional) makes a start for the partition.
#include "baselines/dcp/hypergraph.h"
#include "harness/plan/errors.h"

#ifdef CPBENCH_WITH_METIS
#include <metis.h>

#include <algorithm>
#include <mutex>
#endif

namespace cpbench::dcp {

#ifdef CPBENCH_WITH_METIS
namespace {

// METIS counts in 32 bits, so weights are scaled to keep their sums far below 2^31.
constexpr int64_t kWeightSum = int64_t{1} << 28;
constexpr int64_t kLargestEdge = 1000;
// METIS may use this share of what the limits leave above the mean; `refine` enforces the limits.
constexpr double kShareOfSlack = 0.5;
constexpr double kLeastSlack = 0.01;

// Every hyperedge is a star. Its centre is its data block, or a vertex without weight if the data
// block lies in another node.
struct StarGraph {
  std::vector<idx_t> first, neighbour, weight, vertex_weight;
};

StarGraph star_graph(const Hypergraph& graph) {
  const size_t edges = graph.edge_bytes.size();
  auto count = static_cast<int32_t>(graph.vertices.size());
  std::vector<int32_t> centre(edges, -1);
  int64_t sums[2] = {1, 1};
  int64_t largest = 1;
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    const Vertex& vertex = graph.vertices[v];
    sums[vertex.kind == Kind::compute] += vertex.weight;
    for (int32_t e : vertex.edges) {
      if (vertex.kind == Kind::data) centre[e] = static_cast<int32_t>(v);
      largest = std::max(largest, graph.edge_bytes[e]);
    }
  }
  for (int32_t& c : centre) {
    if (c < 0) c = count++;
  }
  auto edge_weight = [&](int32_t e) {
    return static_cast<idx_t>(1 + (kLargestEdge - 1) * graph.edge_bytes[e] / largest);
  };
  struct Link {
    int32_t a, b;
    idx_t weight;
  };
  std::vector<Link> links;
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    const Vertex& vertex = graph.vertices[v];
    if (vertex.kind == Kind::data) continue;
    const int32_t qo = vertex.edges[0], kv = vertex.edges[1];
    const auto self = static_cast<int32_t>(v);
    if (centre[qo] == centre[kv]) {
      links.push_back({self, centre[qo], edge_weight(qo) + edge_weight(kv)});
    } else {
      links.push_back({self, centre[qo], edge_weight(qo)});
      links.push_back({self, centre[kv], edge_weight(kv)});
    }
  }
  StarGraph star;
  star.first.assign(count + 1, 0);
  for (const Link& l : links) {
    ++star.first[l.a + 1];
    ++star.first[l.b + 1];
  }
  for (int32_t v = 0; v < count; ++v) star.first[v + 1] += star.first[v];
  star.neighbour.resize(2 * links.size());
  star.weight.resize(2 * links.size());
  std::vector<idx_t> next(star.first.begin(), star.first.end() - 1);
  for (const Link& l : links) {
    star.neighbour[next[l.a]] = l.b;
    star.weight[next[l.a]++] = l.weight;
    star.neighbour[next[l.b]] = l.a;
    star.weight[next[l.b]++] = l.weight;
  }
  star.vertex_weight.assign(2 * static_cast<size_t>(count), 0);
  for (size_t v = 0; v < graph.vertices.size(); ++v) {
    const int kind = graph.vertices[v].kind == Kind::compute;
    const double share =
        static_cast<double>(graph.vertices[v].weight) / static_cast<double>(sums[kind]);
    star.vertex_weight[2 * v + kind] =
        static_cast<idx_t>(1 + share * static_cast<double>(kWeightSum));
  }
  return star;
}

}  // namespace

Parts metis_start(const Hypergraph& graph, int32_t parts, Limits limits, int32_t seed,
                  std::string& failure) {
  StarGraph star = star_graph(graph);
  auto count = static_cast<idx_t>(star.first.size()) - 1;
  idx_t constraints = 2, into = parts, cut = 0;
  idx_t options[METIS_NOPTIONS];
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = seed;
  double mean[2] = {0, 0};
  for (const Vertex& vertex : graph.vertices) {
    mean[vertex.kind == Kind::compute] += static_cast<double>(vertex.weight) / parts;
  }
  const auto allow = [](double limit, double of_mean) {
    const double slack = of_mean > 0 ? limit / of_mean - 1 : 0;
    return static_cast<real_t>(1 + std::max(kLeastSlack, kShareOfSlack * slack));
  };
  real_t allowed[2] = {allow(limits.tokens, mean[0]), allow(limits.pairs, mean[1])};
  std::vector<idx_t> part_of(count, 0);
  // METIS seeds and uses the generator of the C library, which all threads share.
  static std::mutex one_at_a_time;
  const std::lock_guard guard(one_at_a_time);
  const int status = METIS_PartGraphKway(
      &count, &constraints, star.first.data(), star.neighbour.data(), star.vertex_weight.data(),
      nullptr, star.weight.data(), &into, nullptr, allowed, options, &cut, part_of.data());
  if (status != METIS_OK) {
    failure = "METIS could not partition " + std::to_string(count) + " blocks into " +
              std::to_string(parts) + " parts (status " + std::to_string(status) + ")";
    return {};
  }
  return Parts(part_of.begin(), part_of.begin() + static_cast<int64_t>(graph.vertices.size()));
}

#else

Parts metis_start(const Hypergraph&, int32_t, Limits, int32_t, std::string&) {
  throw Unsupported("dcp requires METIS: install libmetis-dev and build again");
}

#endif

}  // namespace cpbench::dcp
