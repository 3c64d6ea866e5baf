#include "tests/soak/shrink.h"

#include <algorithm>

namespace cpbench::soak {
namespace {

// Drops documents. What saw one of them sees its parent instead.
void drop(Batch& batch, size_t first, size_t count) {
  const auto erase = [&](auto& list) {
    if (list.empty()) return;
    const auto begin = list.begin() + static_cast<int64_t>(first);
    list.erase(begin, begin + static_cast<int64_t>(count));
  };
  for (size_t d = first; d < batch.parents.size(); ++d) {
    int32_t& parent = batch.parents[d];
    const auto dropped = [&] {
      return parent >= static_cast<int64_t>(first) && parent < static_cast<int64_t>(first + count);
    };
    while (d >= first + count && dropped()) parent = batch.parents[parent];
    if (d >= first + count && parent >= static_cast<int64_t>(first)) {
      parent -= static_cast<int32_t>(count);
    }
  }
  erase(batch.document_lengths);
  erase(batch.cached_tokens);
  erase(batch.parents);
  erase(batch.rules);
}

// Each differs from the given case in one thing. The boldest come first.
std::vector<Case> smaller_than(const Case& given) {
  std::vector<Case> found;
  const auto add = [&](const auto& change) {
    Case next = given;
    change(next);
    if (next.problem.batch.new_tokens() > 0) found.push_back(std::move(next));
  };
  const std::vector<int64_t>& lengths = given.problem.batch.document_lengths;
  for (size_t count = lengths.size() / 2; count >= 1; count /= 2) {
    for (size_t i = 0; i + count <= lengths.size(); i += count) {
      add([&](Case& c) { drop(c.problem.batch, i, count); });
    }
  }
  const Batch& batch = given.problem.batch;
  if (!batch.cached_tokens.empty()) add([](Case& c) { c.problem.batch.cached_tokens.clear(); });
  if (!batch.parents.empty()) add([](Case& c) { c.problem.batch.parents.clear(); });
  if (!batch.rules.empty()) add([](Case& c) { c.problem.batch.rules.clear(); });
  for (size_t i = 0; i < batch.parents.size(); ++i) {
    if (batch.parents[i] >= 0) add([&](Case& c) { c.problem.batch.parents[i] = -1; });
  }
  for (size_t i = 0; i < batch.rules.size(); ++i) {
    if (batch.rules[i] != DocumentRule{}) add([&](Case& c) { c.problem.batch.rules[i] = {}; });
  }
  for (size_t i = 0; i < lengths.size(); ++i) {
    for (int64_t shorter : {lengths[i] / 2, lengths[i] - 1}) {
      if (shorter <= 0) continue;
      add([&](Case& c) {
        c.problem.batch.document_lengths[i] = shorter;
        for (int64_t& cached : c.problem.batch.cached_tokens) {
          const auto d = &cached - c.problem.batch.cached_tokens.data();
          cached = std::min(cached, c.problem.batch.document_lengths[d]);
        }
      });
    }
  }
  for (size_t i = 1; i < lengths.size(); ++i) {
    add([&](Case& c) {
      c.problem.batch.document_lengths[i - 1] += lengths[i];
      drop(c.problem.batch, i, 1);
    });
  }
  const Cluster& cluster = given.problem.cluster;
  for (int32_t nodes : {1, cluster.nodes - 1}) {
    if (0 < nodes && nodes < cluster.nodes) add([&](Case& c) { c.problem.cluster.nodes = nodes; });
  }
  for (int32_t gpus : {1, cluster.gpus_per_node / 2, cluster.gpus_per_node - 1}) {
    if (0 < gpus && gpus < cluster.gpus_per_node) {
      add([&](Case& c) { c.problem.cluster.gpus_per_node = gpus; });
    }
  }
  for (const auto& [name, value] : given.options) add([&](Case& c) { c.options.erase(name); });
  if (given.problem.batch.mask != Mask::document_causal) {
    add([](Case& c) {
      c.problem.batch.mask = Mask::document_causal;
      c.problem.batch.window = 0;
    });
  }
  if (given.problem.batch.window > 1) add([](Case& c) { c.problem.batch.window /= 2; });
  const AttentionShape& shape = given.problem.shape;
  if (shape.value_head_dim != shape.head_dim) {
    add([](Case& c) { c.problem.shape.value_head_dim = c.problem.shape.head_dim; });
  }
  if (shape.query_heads > 1) {
    add([](Case& c) { c.problem.shape.query_heads = c.problem.shape.kv_heads = 1; });
  }
  if (shape.query_heads > shape.kv_heads) {
    add([](Case& c) { c.problem.shape.query_heads = c.problem.shape.kv_heads; });
  }
  if (given.run) add([](Case& c) { c.run = false; });
  return found;
}

}  // namespace

Case shrink(Case failing, const std::function<bool(const Case&)>& fails) {
  while (true) {
    const std::vector<Case> smaller = smaller_than(failing);
    const auto next = std::ranges::find_if(smaller, fails);
    if (next == smaller.end()) return failing;
    failing = *next;
  }
}

}  // namespace cpbench::soak
