// The refinement of a partition; see hypergraph.h.
#include <algorithm>
#include <bit>
#include <queue>

#include "baselines/dcp/hypergraph.h"
#include "harness/strategy/order.h"

namespace cpbench::dcp {
namespace {

// The most passes over all vertices and edges. Gains decrease quickly, and the last passes find
// next to nothing.
constexpr int kMostPasses = 8;
// A pass ends after so many moves without a new best state.
constexpr size_t kPatience = 300;

class Refiner {
 public:
  Refiner(const Hypergraph& graph, int32_t parts, Limits limits, Parts& part_of)
      : graph_(graph),
        parts_(parts),
        limit_{limits.tokens, limits.pairs},
        part_of_(part_of),
        pins_(graph.edge_bytes.size() * parts, 0),
        words_((parts + 63) / 64),
        parts_of_(graph.edge_bytes.size() * words_, 0),
        members_(graph.edge_bytes.size()) {
    for (int kind : {0, 1}) load_[kind].assign(parts, 0);
    for (size_t v = 0; v < graph.vertices.size(); ++v) {
      const Vertex& vertex = graph.vertices[v];
      load_[kind_of(vertex)][part_of[v]] += vertex.weight;
      for (int32_t e : vertex.edges) {
        enter(e, part_of[v]);
        members_[e].push_back(static_cast<int32_t>(v));
      }
    }
  }

  void run() {
    for (int pass = 0; pass < kMostPasses; ++pass) {
      rebalance();
      int64_t gained = move_singles();
      gained += swap_data();
      gained += move_groups();
      if (gained == 0) break;
    }
    rebalance();
  }

 private:
  static int kind_of(const Vertex& vertex) { return vertex.kind == Kind::compute; }
  int32_t& pins(int32_t edge, int32_t part) {
    return pins_[static_cast<size_t>(edge) * parts_ + part];
  }

  uint64_t* part_bits(int32_t edge) { return &parts_of_[static_cast<size_t>(edge) * words_]; }
  void enter(int32_t edge, int32_t part) {
    if (++pins(edge, part) == 1) part_bits(edge)[part / 64] |= uint64_t{1} << part % 64;
  }

  // Calls visit(part) for the parts that an edge of the vertex touches, in order.
  template <typename Visit>
  void for_each_touched(const Vertex& vertex, const Visit& visit) {
    for (size_t w = 0; w < words_; ++w) {
      uint64_t touched = 0;
      for (int32_t e : vertex.edges) touched |= part_bits(e)[w];
      for (; touched != 0; touched &= touched - 1) {
        visit(static_cast<int32_t>(64 * w) + std::countr_zero(touched));
      }
    }
  }

  int64_t gain_of_leaving(const Vertex& vertex, int32_t from) {
    int64_t gain = 0;
    for (int32_t e : vertex.edges) gain += pins(e, from) == 1 ? graph_.edge_bytes[e] : 0;
    return gain;
  }
  int64_t cost_of_entering(const Vertex& vertex, int32_t to) {
    int64_t cost = 0;
    for (int32_t e : vertex.edges) cost += pins(e, to) == 0 ? graph_.edge_bytes[e] : 0;
    return cost;
  }

  bool fits(int kind, int64_t weight, int32_t to) const {
    return weight == 0 || static_cast<double>(load_[kind][to] + weight) <= limit_[kind];
  }

  void move(int32_t v, int32_t to) {
    const Vertex& vertex = graph_.vertices[v];
    const int32_t from = part_of_[v];
    for (int32_t e : vertex.edges) {
      if (--pins(e, from) == 0) part_bits(e)[from / 64] &= ~(uint64_t{1} << from % 64);
      enter(e, to);
    }
    load_[kind_of(vertex)][from] -= vertex.weight;
    load_[kind_of(vertex)][to] += vertex.weight;
    part_of_[v] = to;
  }

  // Parts above their limit give away what costs least: to a part with room, or else to one that
  // stays below what the giver has now, so that the largest load decreases.
  void rebalance() {
    for (int kind : {0, 1}) {
      const std::vector<int32_t> order =
          largest_first(parts_, [&](int32_t part) { return load_[kind][part]; });
      std::vector<std::vector<int32_t>> held(parts_);
      for (size_t v = 0; v < part_of_.size(); ++v) {
        if (kind_of(graph_.vertices[v]) == kind)
          held[part_of_[v]].push_back(static_cast<int32_t>(v));
      }
      for (int32_t from : order) {
        if (static_cast<double>(load_[kind][from]) > limit_[kind]) relieve(kind, from, held[from]);
      }
    }
  }

  struct Way {         // where a vertex could go; to = -1 means nowhere
    double price = 0;  // in bytes per weight
    int32_t vertex = -1;
    int32_t to = -1;
  };

  void relieve(int kind, int32_t from, const std::vector<int32_t>& held) {
    std::vector<Way> ways;
    for (int32_t v : held) {
      const Way way = cheapest_way(kind, from, v);
      if (way.to >= 0) ways.push_back(way);
    }
    std::sort(ways.begin(), ways.end(), [](const Way& a, const Way& b) {
      return a.price != b.price ? a.price < b.price : a.vertex < b.vertex;
    });
    for (const Way& way : ways) {
      if (static_cast<double>(load_[kind][from]) <= limit_[kind]) return;
      const Way now = cheapest_way(kind, from, way.vertex);  // loads and pins may have changed
      if (now.to >= 0) move(now.vertex, now.to);
    }
  }

  Way cheapest_way(int kind, int32_t from, int32_t v) {
    const Vertex& vertex = graph_.vertices[v];
    Way best{0, v, -1};
    if (vertex.weight == 0) return best;
    const int64_t leaving = gain_of_leaving(vertex, from);
    for (int32_t to = 0; to < parts_; ++to) {
      const bool room =
          fits(kind, vertex.weight, to) || load_[kind][to] + vertex.weight < load_[kind][from];
      if (to == from || !room) continue;
      const double price = static_cast<double>(cost_of_entering(vertex, to) - leaving) /
                           static_cast<double>(vertex.weight);
      if (best.to < 0 || price < best.price) best = {price, v, to};
    }
    return best;
  }

  struct Step {  // a move of one vertex
    int64_t gain = 0;
    int32_t vertex = -1;
    int32_t to = -1;                           // -1 means nowhere
    bool operator<(const Step& other) const {  // ties: the lower number first
      return gain != other.gain ? gain < other.gain : vertex > other.vertex;
    }
  };

  // Of the moves to a part that one of the vertex's edges touches.
  Step best_step(int32_t v) {
    const Vertex& vertex = graph_.vertices[v];
    Step best{0, v, -1};
    const int64_t leaving = gain_of_leaving(vertex, part_of_[v]);
    for_each_touched(vertex, [&](int32_t to) {
      if (to == part_of_[v] || !fits(kind_of(vertex), vertex.weight, to)) return;
      const int64_t gain = leaving - cost_of_entering(vertex, to);
      if (best.to < 0 || gain > best.gain) best = {gain, v, to};
    });
    return best;
  }

  // One pass of Fiduccia and Mattheyses: each vertex moves at most once, the best move first even
  // if it loses, and at the end all moves after the best state are taken back.
  int64_t move_singles() {
    std::priority_queue<Step> queue;
    std::vector<bool> moved(part_of_.size(), false);
    const auto push = [&](int32_t v) {
      if (const Step step = best_step(v); !moved[v] && step.to >= 0) queue.push(step);
    };
    for (size_t v = 0; v < part_of_.size(); ++v) push(static_cast<int32_t>(v));
    struct Done {
      int32_t vertex, from;
    };
    std::vector<Done> done;
    size_t kept = 0;
    int64_t total = 0, best = 0;
    while (!queue.empty() && done.size() < kept + kPatience) {
      const Step step = queue.top();
      queue.pop();
      const int32_t v = step.vertex;
      if (moved[v]) continue;
      const Step now = best_step(v);  // loads and pins may have changed
      if (now.to < 0) continue;
      if (now.gain < step.gain) {
        queue.push(now);
        continue;
      }
      const int32_t from = part_of_[v];
      move(v, now.to);
      moved[v] = true;
      done.push_back({v, from});
      total += now.gain;
      if (total > best) {
        best = total;
        kept = done.size();
      }
      for (int32_t e : graph_.vertices[v].edges) {
        if (pins(e, from) > 1 && pins(e, now.to) > 1) continue;
        for (int32_t other : members_[e]) push(other);
      }
    }
    for (; done.size() > kept; done.pop_back()) move(done.back().vertex, done.back().from);
    return best;
  }

  // Data blocks of full parts can only change places. No edge has two of them, and of two that
  // change places with a gain, one gains by itself.
  int64_t swap_data() {
    std::vector<std::vector<int32_t>> data(parts_);
    for (size_t v = 0; v < part_of_.size(); ++v) {
      if (graph_.vertices[v].kind == Kind::data)
        data[part_of_[v]].push_back(static_cast<int32_t>(v));
    }
    int64_t gained = 0;
    for (size_t i = 0; i < part_of_.size(); ++i) {
      const auto v = static_cast<int32_t>(i);
      const Vertex& vertex = graph_.vertices[v];
      if (vertex.kind != Kind::data) continue;
      const int32_t from = part_of_[v];
      const int64_t leaving = gain_of_leaving(vertex, from);
      int64_t best_gain = 0;
      int32_t* best = nullptr;  // the other block
      for_each_touched(vertex, [&](int32_t to) {
        const int64_t gain = leaving - cost_of_entering(vertex, to);
        if (to == from || gain <= 0) return;
        for (int32_t& place : data[to]) {
          const Vertex& other = graph_.vertices[place];
          const int64_t more = vertex.weight - other.weight;
          if (!fits(0, more, to) || !fits(0, -more, from)) continue;
          const int64_t both = gain + gain_of_leaving(other, to) - cost_of_entering(other, from);
          if (both > best_gain) {
            best_gain = both;
            best = &place;
          }
        }
      });
      if (best == nullptr) continue;
      const int32_t other = *best, to = part_of_[other];
      std::swap(*best, *std::ranges::find(data[from], v));
      move(v, to);
      move(other, from);
      gained += best_gain;
    }
    return gained;
  }

  // All vertices of one edge that lie in one part move together: moving one of them would not free
  // the part of the edge.
  int64_t move_groups() {
    int64_t gained = 0;
    std::vector<std::vector<int32_t>> groups(parts_);
    for (size_t e = 0; e < members_.size(); ++e) {
      for (auto& group : groups) group.clear();
      for (int32_t v : members_[e]) groups[part_of_[v]].push_back(v);
      for (int32_t from = 0; from < parts_; ++from) {
        if (groups[from].size() > 1) {
          gained += move_group(static_cast<int32_t>(e), from, groups[from]);
        }
      }
    }
    return gained;
  }

  // A data block and the compute block of its own queries and keys share both edges. In a group
  // they are counted as if they did not, so a gain is never overestimated.
  int64_t move_group(int32_t edge, int32_t from, const std::vector<int32_t>& group) {
    int64_t leaving = graph_.edge_bytes[edge];
    int64_t weight[2] = {0, 0};
    for (int32_t v : group) {
      weight[kind_of(graph_.vertices[v])] += graph_.vertices[v].weight;
      for (int32_t other : graph_.vertices[v].edges) {
        leaving += other != edge && pins(other, from) == 1 ? graph_.edge_bytes[other] : 0;
      }
    }
    int32_t best = -1;
    int64_t best_gain = 0;
    for (int32_t to = 0; to < parts_; ++to) {
      if (to == from || pins(edge, to) == 0) continue;
      if (!fits(0, weight[0], to) || !fits(1, weight[1], to)) continue;
      int64_t gain = leaving;
      for (int32_t v : group) {
        for (int32_t other : graph_.vertices[v].edges) {
          if (other != edge && pins(other, to) == 0) gain -= graph_.edge_bytes[other];
        }
      }
      if (gain > best_gain) {
        best_gain = gain;
        best = to;
      }
    }
    if (best < 0) return 0;
    for (int32_t v : group) move(v, best);
    return best_gain;
  }

  const Hypergraph& graph_;
  int32_t parts_;
  double limit_[2];  // tokens, pairs
  Parts& part_of_;
  std::vector<int64_t> load_[2];               // tokens and pairs of each part
  std::vector<int32_t> pins_;                  // [edge][part]
  size_t words_;                               // of a bit mask of parts
  std::vector<uint64_t> parts_of_;             // [edge][word]: the parts with pins
  std::vector<std::vector<int32_t>> members_;  // vertices of each edge
};

}  // namespace

void refine(const Hypergraph& graph, int32_t parts, Limits limits, Parts& part_of) {
  Refiner(graph, parts, limits, part_of).run();
}

}  // namespace cpbench::dcp
