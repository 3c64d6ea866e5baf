#include "baselines/dcp/placement.h"

#include <algorithm>
#include <cmath>

#include "harness/plan/errors.h"

namespace cpbench::dcp {

Hypergraph hypergraph_of(const Blocks& blocks, BlockBytes bytes) {
  Hypergraph graph;
  const auto data = static_cast<int32_t>(blocks.data.size());
  for (int32_t i = 0; i < data; ++i) {
    graph.vertices.push_back({Kind::data, blocks.data[i].size(), {i, data + i}});
    graph.edge_bytes.push_back(blocks.data[i].size() * bytes.qo);
  }
  for (const Range& tokens : blocks.data) graph.edge_bytes.push_back(tokens.size() * bytes.kv);
  for (const ComputeBlock& c : blocks.compute) {
    graph.vertices.push_back({Kind::compute, c.pairs, {c.q, data + c.kv}});
  }
  return graph;
}

namespace {

// The vertices of one part, with the edges that they lie on. What other parts hold of these edges
// costs the same wherever the vertices go.
Hypergraph inside(const Hypergraph& graph, const std::vector<int32_t>& members) {
  Hypergraph sub;
  std::vector<int32_t> name(graph.edge_bytes.size(), -1);
  for (int32_t v : members) {
    Vertex vertex = graph.vertices[v];
    for (int32_t& e : vertex.edges) {
      if (name[e] < 0) {
        name[e] = static_cast<int32_t>(sub.edge_bytes.size());
        sub.edge_bytes.push_back(graph.edge_bytes[e]);
      }
      e = name[e];
    }
    sub.vertices.push_back(vertex);
  }
  return sub;
}

}  // namespace

Placement place(const Blocks& blocks, const Cluster& cluster, BlockBytes bytes, double imbalance,
                const Partitioner& partitioner) {
  const Hypergraph graph = hypergraph_of(blocks, bytes);
  Limits rank_mean;
  for (const Vertex& v : graph.vertices) {
    (v.kind == Kind::data ? rank_mean.tokens : rank_mean.pairs) +=
        static_cast<double>(v.weight) / cluster.ranks();
  }
  // Using half of the slack for the nodes leaves each node room to use the other half inside.
  auto limits = [&](double per_rank, int32_t ranks) {
    return Limits{rank_mean.tokens * per_rank * ranks, rank_mean.pairs * per_rank * ranks};
  };
  const auto data = static_cast<int64_t>(blocks.data.size());
  auto placement = [&](const Parts& rank_of) {
    return Placement{{rank_of.begin(), rank_of.begin() + data},
                     {rank_of.begin() + data, rank_of.end()}};
  };
  Parts rank_of = whole_start(graph, cluster.ranks(), limits(imbalance, 1));
  if (excess(graph, rank_of, cluster.ranks(), limits(imbalance, 1)) == 0) return placement(rank_of);
  std::string failure;
  const int32_t gpus = cluster.gpus_per_node;
  // A partition over all ranks at once, with neighbouring parts merged, is often a better start for
  // the nodes than one into few large parts.
  Parts neighbours;
  if (cluster.nodes > 1 && gpus > 1) {
    neighbours = partition(graph, cluster.ranks(), limits(imbalance, 1), partitioner, failure);
    for (int32_t& part : neighbours) part /= gpus;
  }
  Limits node_limits = limits(gpus == 1 ? imbalance : (1 + imbalance) / 2, gpus);
  // A node takes no more whole data blocks than its ranks can share within their own limit.
  double largest = 1;
  for (const Range& block : blocks.data) {
    largest = std::max(largest, static_cast<double>(block.size()));
  }
  const double whole = gpus * largest * std::floor(rank_mean.tokens * imbalance / largest);
  if (whole >= rank_mean.tokens * gpus) node_limits.tokens = std::min(node_limits.tokens, whole);
  const Parts node_of =
      partition(graph, cluster.nodes, node_limits, partitioner, failure, std::move(neighbours));
  std::vector<std::vector<int32_t>> members(cluster.nodes);
  for (size_t v = 0; v < node_of.size(); ++v)
    members[node_of[v]].push_back(static_cast<int32_t>(v));
  for (int32_t node = 0; node < cluster.nodes; ++node) {
    const Parts gpu_of =
        partition(inside(graph, members[node]), gpus, limits(imbalance, 1), partitioner, failure);
    for (size_t i = 0; i < gpu_of.size(); ++i) {
      rank_of[members[node][i]] = node * gpus + gpu_of[i];
    }
  }
  if (!failure.empty() && excess(graph, rank_of, cluster.ranks(), limits(imbalance, 1)) > 0) {
    throw Unsupported(failure + ", and no other start is within the limits");
  }
  return placement(rank_of);
}

}  // namespace cpbench::dcp
