#include "tests/soak/shrink.h"

#include <algorithm>

namespace cpbench::soak {
namespace {

// Each differs from the given case in one thing. The boldest come first.
std::vector<Case> smaller_than(const Case& given) {
  std::vector<Case> found;
  const auto add = [&](const auto& change) {
    Case next = given;
    change(next);
    found.push_back(std::move(next));
  };
  const std::vector<int64_t>& lengths = given.problem.batch.document_lengths;
  for (size_t count = lengths.size() / 2; count >= 1; count /= 2) {
    for (size_t i = 0; i + count <= lengths.size(); i += count) {
      add([&](Case& c) {
        auto first = c.problem.batch.document_lengths.begin() + static_cast<int64_t>(i);
        c.problem.batch.document_lengths.erase(first, first + static_cast<int64_t>(count));
      });
    }
  }
  for (size_t i = 0; i < lengths.size(); ++i) {
    for (int64_t shorter : {lengths[i] / 2, lengths[i] - 1}) {
      if (shorter > 0) add([&](Case& c) { c.problem.batch.document_lengths[i] = shorter; });
    }
  }
  for (size_t i = 1; i < lengths.size(); ++i) {
    add([&](Case& c) {
      auto& joined = c.problem.batch.document_lengths;
      joined[i - 1] += joined[i];
      joined.erase(joined.begin() + static_cast<int64_t>(i));
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
  if (given.cached > 0) add([](Case& c) { c.cached = 0; });
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
