// A start for the partition that cuts no document; see hypergraph.h.
#include <algorithm>
#include <numeric>

#include "baselines/dcp/hypergraph.h"
#include "harness/strategy/order.h"

namespace cpbench::dcp {
namespace {

// For each edge, the smallest edge that vertices connect it with.
std::vector<int32_t> components(const Hypergraph& graph) {
  std::vector<int32_t> up(graph.edge_bytes.size());
  std::iota(up.begin(), up.end(), 0);
  auto root = [&](int32_t e) {
    while (up[e] != e) e = up[e] = up[up[e]];
    return e;
  };
  for (const Vertex& v : graph.vertices) {
    for (int32_t e : v.edges) {
      const auto [low, high] = std::minmax({root(v.edges[0]), root(e)});
      up[high] = low;
    }
  }
  for (int32_t& e : up) e = root(e);
  return up;
}

}  // namespace

Parts whole_start(const Hypergraph& graph, int32_t parts, Limits limits) {
  const std::vector<int32_t> component_of = components(graph);
  std::vector<Limits> held(parts), weight(component_of.size());
  for (const Vertex& v : graph.vertices) {
    Limits& sum = weight[component_of[v.edges[0]]];
    (v.kind == Kind::data ? sum.tokens : sum.pairs) += static_cast<double>(v.weight);
  }
  Parts part_of_component(component_of.size(), 0);
  for (int32_t c : largest_first(weight.size(), [&](int32_t i) { return weight[i].pairs; })) {
    auto filled = [&](const Limits& part) {
      return std::max((part.tokens + weight[c].tokens) / limits.tokens,
                      (part.pairs + weight[c].pairs) / limits.pairs);
    };
    const auto least = std::ranges::min_element(held, {}, filled);
    least->tokens += weight[c].tokens;
    least->pairs += weight[c].pairs;
    part_of_component[c] = static_cast<int32_t>(least - held.begin());
  }
  Parts part_of;
  for (const Vertex& v : graph.vertices) {
    part_of.push_back(part_of_component[component_of[v.edges[0]]]);
  }
  return part_of;
}

}  // namespace cpbench::dcp
