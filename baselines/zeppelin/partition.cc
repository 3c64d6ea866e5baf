#include "baselines/zeppelin/partition.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "harness/strategy/order.h"

namespace cpbench::zeppelin {
namespace {

// Nodes, or the ranks of a node, by how many tokens they have.
class Buckets {
 public:
  Buckets(int32_t count, int64_t tokens) {
    for (int32_t bucket = 0; bucket < count; ++bucket) by_load_.emplace(tokens, bucket);
  }
  int64_t least_load() const { return by_load_.begin()->first; }
  // Puts an equal part of so many tokens on the least loaded buckets. Returns them, ascending.
  std::vector<int32_t> put(int64_t tokens, int32_t parts) {
    std::vector<int32_t> taken;
    std::vector<std::pair<int64_t, int32_t>> nodes(by_load_.begin(),
                                                   std::next(by_load_.begin(), parts));
    const int64_t part = (tokens + parts - 1) / parts;
    for (const auto& [load, bucket] : nodes) {
      by_load_.erase({load, bucket});
      by_load_.emplace(load + part, bucket);
      taken.push_back(bucket);
    }
    std::sort(taken.begin(), taken.end());
    return taken;
  }

 private:
  std::set<std::pair<int64_t, int32_t>> by_load_;
};

// Where each sequence goes at one level of the hierarchy: one bucket if it is whole.
using Places = std::vector<std::vector<int32_t>>;

// The first `cut` of `sequences`, which are longest first, are cut in proportion to their weight;
// the others stay whole and must fit the room of a bucket. Empty if they do not.
template <typename Weight>
Places try_places(const std::vector<int64_t>& lengths, const std::vector<int32_t>& sequences,
                  size_t cut, int32_t count, int64_t used, int64_t room, const Weight& weight) {
  Buckets buckets(count, used);
  Places places;
  int64_t total = 0;
  for (size_t i = 0; i < cut; ++i) total += weight(lengths[sequences[i]]);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const int64_t length = lengths[sequences[i]];
    int32_t parts = 1;
    if (i < cut) {
      const int64_t share = (weight(length) * count + total - 1) / total;
      parts = static_cast<int32_t>(std::clamp<int64_t>(share, 2, count));
    } else if (buckets.least_load() + length > room) {
      return {};
    }
    places.push_back(buckets.put(length, parts));
  }
  return places;
}

// The longest sequences are cut, as few as possible: those that no bucket has room for, and then
// one more at a time until the others fit.
template <typename Weight>
Places places_of(const std::vector<int64_t>& lengths, const std::vector<int32_t>& sequences,
                 int32_t count, int64_t used, int64_t room, const Weight& weight) {
  if (count == 1 || sequences.empty()) return Places(sequences.size(), {0});
  size_t cut = 0;
  while (cut < sequences.size() && lengths[sequences[cut]] > room - used) ++cut;
  for (;; ++cut) {
    Places places = try_places(lengths, sequences, cut, count, used, room, weight);
    if (!places.empty()) return places;
  }
}

}  // namespace

std::vector<Group> partition(const std::vector<int64_t>& lengths, const Capacity& capacity) {
  const int32_t per_node = capacity.ranks_per_node;
  const std::vector<int32_t> sorted =
      largest_first(lengths.size(), [&](int32_t i) { return lengths[i]; });
  std::vector<Group> inter, intra, local;

  // 1. Nodes: in proportion to tokens (Algorithm 1 of the paper).
  std::vector<std::vector<int32_t>> of_node(capacity.nodes);
  std::vector<int64_t> shared(capacity.nodes, 0);  // tokens per rank of what is cut over nodes
  const Places nodes = places_of(lengths, sorted, capacity.nodes, 0, capacity.per_rank * per_node,
                                 [](int64_t length) { return length; });
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (nodes[i].size() == 1) {
      of_node[nodes[i].front()].push_back(sorted[i]);
      continue;
    }
    Group group{{}, {sorted[i]}};
    const auto ranks = static_cast<int64_t>(nodes[i].size()) * per_node;
    for (const int32_t node : nodes[i]) {
      shared[node] += (lengths[sorted[i]] + ranks - 1) / ranks;
      for (int32_t r = 0; r < per_node; ++r) group.ranks.push_back(node * per_node + r);
    }
    inter.push_back(std::move(group));
  }

  // 2. Ranks of each node: in proportion to squared tokens, the work of attention (Algorithm 2).
  for (int32_t node = 0; node < capacity.nodes; ++node) {
    const Places ranks =
        places_of(lengths, of_node[node], per_node, shared[node], capacity.per_rank,
                  [](int64_t length) { return length * length; });
    std::vector<Group> whole(per_node);
    for (size_t i = 0; i < of_node[node].size(); ++i) {
      const int32_t sequence = of_node[node][i];
      if (ranks[i].size() == 1) {
        whole[ranks[i].front()].sequences.push_back(sequence);
        continue;
      }
      Group group{ranks[i], {sequence}};
      for (int32_t& rank : group.ranks) rank += node * per_node;
      intra.push_back(std::move(group));
    }
    for (int32_t r = 0; r < per_node; ++r) {
      whole[r].ranks = {node * per_node + r};
      if (!whole[r].sequences.empty()) local.push_back(std::move(whole[r]));
    }
  }
  inter.insert(inter.end(), intra.begin(), intra.end());
  inter.insert(inter.end(), local.begin(), local.end());
  return inter;
}

}  // namespace cpbench::zeppelin
