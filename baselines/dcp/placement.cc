#include "baselines/dcp/placement.h"

#include <algorithm>
#include <cmath>

#include "harness/plan/errors.h"

namespace cpbench::dcp {

Hypergraph hypergraph_of(const Blocks& blocks, BlockBytes bytes) {
  Hypergraph graph;
  for (const Range& tokens : blocks.data) {
    Vertex vertex{Kind::data, tokens.size(), {}};
    for (int32_t group = 0; group < blocks.head_groups; ++group) {
      for (int64_t each : {bytes.qo, bytes.kv}) {
        vertex.edges.push_back(static_cast<int32_t>(graph.edge_bytes.size()));
        graph.edge_bytes.push_back(tokens.size() * each);
      }
    }
    graph.vertices.push_back(std::move(vertex));
  }
  for (const ComputeBlock& c : blocks.compute) {
    const int32_t qo = graph.vertices[c.q].edges[size_t{2} * c.group];
    const int32_t kv = graph.vertices[c.kv].edges[size_t{2} * c.group + 1];
    graph.vertices.push_back({Kind::compute, c.pairs, {qo, kv}});
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

Placement place(const Blocks& blocks, const Cluster& cluster, BlockBytes bytes, Slack slack,
                const Partitioner& partitioner) {
  const Hypergraph graph = hypergraph_of(blocks, bytes);
  Limits rank_mean;
  for (const Vertex& v : graph.vertices) {
    (v.kind == Kind::data ? rank_mean.tokens : rank_mean.pairs) +=
        static_cast<double>(v.weight) / cluster.ranks();
  }
  auto limits = [&](Slack of_rank, int32_t ranks) {
    return Limits{rank_mean.tokens * of_rank.tokens * ranks,
                  rank_mean.pairs * of_rank.pairs * ranks};
  };
  const Limits rank_limits = limits(slack, 1);
  const auto data = static_cast<int64_t>(blocks.data.size());
  auto placement = [&](const Parts& rank_of) {
    return Placement{{rank_of.begin(), rank_of.begin() + data},
                     {rank_of.begin() + data, rank_of.end()}};
  };
  Parts rank_of = whole_start(graph, cluster.ranks(), rank_limits);
  if (excess(graph, rank_of, cluster.ranks(), rank_limits) == 0) return placement(rank_of);
  std::string failure;
  const int32_t gpus = cluster.gpus_per_node;
  // A partition over all ranks at once, with neighbouring parts merged, is often a better start for
  // the nodes than one into few large parts.
  Parts neighbours;
  if (cluster.nodes > 1 && gpus > 1) {
    neighbours = partition(graph, cluster.ranks(), rank_limits, partitioner, failure);
    for (int32_t& part : neighbours) part /= gpus;
  }
  // Using half of the slack for the nodes leaves each node room to use the other half inside.
  const Slack half{(1 + slack.tokens) / 2, (1 + slack.pairs) / 2};
  Limits node_limits = limits(gpus == 1 ? slack : half, gpus);
  // A node takes no more whole data blocks than its ranks can share within their own limit.
  double largest = 1;
  for (const Range& block : blocks.data) {
    largest = std::max(largest, static_cast<double>(block.size()));
  }
  const double whole = gpus * largest * std::floor(rank_mean.tokens * slack.tokens / largest);
  if (whole >= rank_mean.tokens * gpus) node_limits.tokens = std::min(node_limits.tokens, whole);
  const Parts node_of =
      partition(graph, cluster.nodes, node_limits, partitioner, failure, std::move(neighbours));
  std::vector<std::vector<int32_t>> members(cluster.nodes);
  for (size_t v = 0; v < node_of.size(); ++v)
    members[node_of[v]].push_back(static_cast<int32_t>(v));
  for (int32_t node = 0; node < cluster.nodes; ++node) {
    const Parts gpu_of =
        partition(inside(graph, members[node]), gpus, rank_limits, partitioner, failure);
    for (size_t i = 0; i < gpu_of.size(); ++i) {
      rank_of[members[node][i]] = node * gpus + gpu_of[i];
    }
  }
  if (!failure.empty() && excess(graph, rank_of, cluster.ranks(), rank_limits) > 0) {
    throw Unsupported(failure + ", and no other start is within the limits");
  }
  return placement(rank_of);
}

}  // namespace cpbench::dcp
