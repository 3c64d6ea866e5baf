// Zeppelin: long sequences in rings across nodes, medium ones in rings within a node, short ones
// whole. What crosses nodes is relayed by all ranks of both nodes, and the layout of attention
// differs from that of the linear layers.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "baselines/zeppelin/partition.h"
#include "baselines/zeppelin/remap.h"
#include "harness/plan/builder.h"
#include "harness/strategy/grid.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace zeppelin {
namespace {

// What a rank of a ring attends of its sequences.
struct Shard {
  Ranges tokens;
  SetId id = RangeSets::kEmpty;
  std::vector<SetId> parts;       // one for each rank of a node, if the ring crosses nodes
  std::vector<int32_t> owned_by;  // the ranks that are home to some of it
  bool owned_on(int32_t begin, int32_t end) const {
    return std::ranges::any_of(owned_by, [=](int32_t r) { return begin <= r && r < end; });
  }
};

// A group of ranks, without those that have no tokens of its sequences.
struct Ring {
  std::vector<int32_t> ranks;
  std::vector<Shard> shards;
  bool crosses = false;  // nodes
  int32_t first = 0;     // the step of the first attention
  int32_t size() const { return static_cast<int32_t>(ranks.size()); }
  // Steps from one attention to the next: a hop across nodes takes three.
  int32_t stride() const { return crosses ? 3 : 1; }
  int32_t steps() const { return (size() - 1) * stride() + 1; }
};

class Planner {
 public:
  Planner(const Problem& problem, const std::vector<Group>& groups, bool remaps)
      : builder_(problem), cluster_(problem.cluster) {
    std::vector<Ranges> attended(problem.ranks());
    make_rings(groups, sequences_of(problem.batch), attended);
    if (remaps) moves_ = remap(attended, cluster_);
    std::vector<Ranges> homes = attended;
    for (const Move& move : moves_) {
      homes[move.attends] = subtract(homes[move.attends], move.tokens);
      homes[move.owns] = unite(homes[move.owns], move.tokens);
    }
    for (int32_t rank = 0; rank < problem.ranks(); ++rank) builder_.home(rank, homes[rank]);
    homes_ = std::move(homes);
    name_shards();
    schedule();
  }

  Plan run() {
    PassBuilder forward = builder_.forward(), backward = builder_.backward();
    const int32_t attended = std::max(1, last_step_);
    for (const Move& move : moves_) {
      const SetId tokens = builder_.tokens(move.tokens);
      for (const Tensor tensor : {Tensor::q, Tensor::kv}) {
        forward.send(0, move.owns, move.attends, tensor, tokens);
        builder_.keep(move.attends, tensor, tokens);
      }
      backward.send(0, move.owns, move.attends, Tensor::d_o, tokens);
      forward.send(attended, move.attends, move.owns, Tensor::o, tokens);
    }
    for (const Ring& ring : rings_) {
      keys_go_round(forward, ring);
      keys_go_round(backward, ring);
      gradients_follow(backward, ring);
    }
    // Gradients are on the rank that attended the tokens four steps after the last attention.
    for (const Move& move : moves_) {
      for (const Tensor tensor : {Tensor::dq, Tensor::dkv}) {
        backward.send(attended + 4, move.attends, move.owns, tensor, builder_.tokens(move.tokens));
      }
    }
    builder_.gradient_wire(GradientWire::accumulation);
    return builder_.finish();
  }

 private:
  // 1. Layout of attention: two mirrored chunks of a cut sequence per rank of its ring.
  void make_rings(const std::vector<Group>& groups, const std::vector<Range>& sequences,
                  std::vector<Ranges>& attended) {
    for (const Group& group : groups) {
      std::vector<Ranges> shards(group.ranks.size());
      for (const int32_t s : group.sequences) {
        const Batch one{.document_lengths = {sequences[s].size()}};
        const std::vector<Ranges> cut = per_document_shards(one, group.degree(), 2);
        for (size_t i = 0; i < cut.size(); ++i) {
          for (const Range& range : cut[i]) {
            shards[i].push_back({range.begin + sequences[s].begin, range.end + sequences[s].begin});
          }
        }
      }
      Ring ring;
      for (size_t i = 0; i < shards.size(); ++i) {
        if (shards[i].empty()) continue;
        const Ranges shard = normalise(std::move(shards[i]));
        attended[group.ranks[i]] = unite(attended[group.ranks[i]], shard);
        ring.ranks.push_back(group.ranks[i]);
        ring.shards.push_back({.tokens = shard});
      }
      ring.crosses = cluster_.node_of(ring.ranks.front()) != cluster_.node_of(ring.ranks.back());
      rings_.push_back(std::move(ring));
    }
  }

  void name_shards() {
    std::vector<std::vector<int32_t>> owners(cluster_.ranks());
    for (int32_t rank = 0; rank < cluster_.ranks(); ++rank) owners[rank] = {rank};
    for (const Move& move : moves_) owners[move.attends].push_back(move.owns);
    for (Ring& ring : rings_) {
      for (int32_t i = 0; i < ring.size(); ++i) {
        Shard& shard = ring.shards[i];
        shard.id = builder_.tokens(shard.tokens);
        shard.owned_by = owners[ring.ranks[i]];
        if (!ring.crosses) continue;
        for (Ranges& part : split_evenly(shard.tokens, cluster_.gpus_per_node)) {
          shard.parts.push_back(builder_.tokens(std::move(part)));
        }
      }
    }
  }

  // 2. A ring starts when its ranks have finished the rings before it: those across nodes come
  // first, then those within a node, then whole sequences.
  void schedule() {
    std::vector<int32_t> free(cluster_.ranks(), moves_.empty() ? 0 : 1);
    for (Ring& ring : rings_) {
      for (const int32_t rank : ring.ranks) ring.first = std::max(ring.first, free[rank]);
      for (const int32_t rank : ring.ranks) free[rank] = ring.first + ring.steps();
      last_step_ = std::max(last_step_, ring.first + ring.steps());
    }
  }

  // 3. K, V visit all ranks of the ring, and are attended there.
  void keys_go_round(PassBuilder& pass, const Ring& ring) {
    for (int32_t hop = 0; hop < ring.size(); ++hop) {
      const int32_t step = ring.first + hop * ring.stride();
      for (int32_t i = 0; i < ring.size(); ++i) {
        const Shard& visiting = ring.shards[(i - hop + ring.size()) % ring.size()];
        pass.attend(step, ring.ranks[i], ring.shards[i].id, visiting.id);
        if (hop + 1 == ring.size()) continue;
        pass_on(pass, step, ring.ranks[i], ring.ranks[(i + 1) % ring.size()], Tensor::kv, visiting);
      }
    }
  }
  // dK, dV follow one step behind, and go home after the last hop. The part of the first rank waits
  // there.
  void gradients_follow(PassBuilder& pass, const Ring& ring) {
    for (int32_t hop = 1; hop < ring.size(); ++hop) {
      const int32_t step = ring.first + hop * ring.stride() + 1;
      for (int32_t i = 0; i < ring.size(); ++i) {
        pass_on(pass, step, ring.ranks[i], ring.ranks[(i + 1) % ring.size()], Tensor::dkv,
                ring.shards[(i - hop + ring.size()) % ring.size()]);
      }
    }
  }

  // 4. Routing: within a node a direct send. Between nodes each rank of the sender's node relays a
  // part to the same rank of the receiver's node, so that all network ports work: dispatch,
  // transfer, combine.
  void pass_on(PassBuilder& pass, int32_t step, int32_t from, int32_t to, Tensor tensor,
               const Shard& shard) {
    const int32_t per_node = cluster_.gpus_per_node;
    const int32_t node = cluster_.node_of(from) * per_node, next = cluster_.node_of(to) * per_node;
    const bool copies = !is_partial(tensor);
    if (node == next) {
      pass.send(step, from, to, tensor,
                copies && shard.owned_on(to, to + 1) ? without_home(shard.tokens, to) : shard.id);
      return;
    }
    const auto relay = [&](int32_t p, SetId dispatched, SetId transferred, SetId combined) {
      pass.send(step, from, node + p, tensor, dispatched);
      pass.send(step + 1, node + p, next + p, tensor, transferred);
      pass.send(step + 2, next + p, to, tensor, combined);
    };
    if (!copies ||
        !(shard.owned_on(node, node + per_node) || shard.owned_on(next, next + per_node))) {
      for (int32_t p = 0; p < per_node; ++p)
        relay(p, shard.parts[p], shard.parts[p], shard.parts[p]);
      return;
    }
    // Copies are not sent to where they are at home.
    const std::vector<Ranges> parts = split_evenly(subtract(shard.tokens, homes_[to]), per_node);
    for (int32_t p = 0; p < per_node; ++p) {
      const Ranges transferred = subtract(parts[p], homes_[next + p]);
      relay(p, without_home(transferred, node + p), builder_.tokens(transferred),
            builder_.tokens(parts[p]));
    }
  }
  SetId without_home(const Ranges& tokens, int32_t rank) {
    return builder_.tokens(subtract(tokens, homes_[rank]));
  }

  PlanBuilder builder_;
  Cluster cluster_;
  std::vector<Ranges> homes_;
  std::vector<Move> moves_;
  std::vector<Ring> rings_;
  int32_t last_step_ = 0;  // one more than that of the last attention
};

std::vector<Group> groups_of(const Problem& problem, const Options& options) {
  const double even = static_cast<double>(problem.tokens()) / problem.ranks();
  const Capacity capacity{
      .nodes = problem.cluster.nodes,
      .ranks_per_node = problem.cluster.gpus_per_node,
      .per_rank = static_cast<int64_t>(std::ceil(even * options.number("slack")))};
  std::vector<int64_t> lengths;
  for (const Range& sequence : sequences_of(problem.batch)) lengths.push_back(sequence.size());
  return partition(lengths, capacity);
}

Plan plan(const Problem& problem, const Options& options) {
  return Planner(problem, groups_of(problem, options), options.boolean("remap")).run();
}

std::vector<ReportedValue> report(const Problem& problem, const Options& options) {
  const std::vector<Group> groups = groups_of(problem, options);
  double across = 0, within = 0, whole = 0;
  for (const Group& group : groups) {
    const bool crosses =
        problem.cluster.node_of(group.ranks.front()) != problem.cluster.node_of(group.ranks.back());
    if (crosses) {
      ++across;
    } else if (group.degree() > 1) {
      ++within;
    } else {
      whole += static_cast<double>(group.sequences.size());
    }
  }
  return {{"sequences_across_nodes", across, ""},
          {"sequences_within_a_node", within, ""},
          {"whole_sequences", whole, ""}};
}

}  // namespace
}  // namespace zeppelin

extern const Strategy strategy_zeppelin = {
    .name = "zeppelin",
    .title = "Zeppelin",
    .source = "Chen et al.: Zeppelin, arXiv 2509.21841 (EuroSys 2026)",
    .moves =
        "K, V of long sequences round rings across nodes, relayed by all ranks of a node, of "
        "medium "
        "ones round rings within a node; dK, dV follow in fp32; tokens between two layouts",
    .constraints = "none",
    .options = {number_option("slack", "1.2",
                              "tokens that a rank may attend, relative to T / N; more leaves more "
                              "sequences whole",
                              1, 1000),
                boolean_option("remap", "true",
                               "give all ranks equal tokens outside of attention")},
    .tuning = {{"slack", {"1.05", "1.5"}}, {"remap", {"false"}}},
    .plan = zeppelin::plan,
    .report = zeppelin::report,
};

}  // namespace cpbench
