#include "harness/plan/problem.h"

#include <cmath>
#include <numeric>

#include "harness/plan/errors.h"
#include "harness/plan/limits.h"
#include "harness/plan/names.h"
#include "harness/plan/problem_fields.h"

namespace cpbench {
namespace {

void require(bool good, const std::string& field, int64_t value, const std::string& want) {
  if (!good) throw UserError(field + " is " + std::to_string(value) + "; must be " + want);
}

void require_range(const std::string& field, int64_t value, int64_t least, int64_t most) {
  require(least <= value && value <= most, field, value,
          "from " + std::to_string(least) + " to " + std::to_string(most));
}

void require_window(const std::string& field, Mask mask, int64_t window) {
  if (has_window(mask)) {
    require(1 <= window && window <= kMaxTokens, field, window,
            "from 1 to " + std::to_string(kMaxTokens) + " tokens with mask " + name_of(mask));
  } else {
    require(window == 0, field, window, std::string("0 with mask ") + name_of(mask));
  }
}

void require_one_per_document(const std::string& field, size_t found, const Batch& batch) {
  const int64_t documents = std::ssize(batch.document_lengths);
  const auto count = static_cast<int64_t>(found);
  require(count == documents || count == 0, "the number of " + field, count,
          std::to_string(documents) + ", one per document, or 0");
}

// (query, key) pairs of one head, at most.
double most_pairs(const Batch& batch) {
  if (batch.mask == Mask::causal) return std::pow(batch.tokens(), 2);
  double pairs = 0;
  std::vector<double> seen;  // by document: its tokens and those of its ancestors
  for (size_t d = 0; d < batch.document_lengths.size(); ++d) {
    const auto length = static_cast<double>(batch.document_lengths[d]);
    const int32_t parent = batch.parents.empty() ? -1 : batch.parents[d];
    seen.push_back(length + (parent < 0 ? 0 : seen[parent]));
    pairs += length * seen.back();
  }
  return pairs;
}

void validate_cached(const Batch& batch) {
  require_one_per_document("cached_tokens", batch.cached_tokens.size(), batch);
  for (size_t i = 0; i < batch.cached_tokens.size(); ++i) {
    const int64_t cached = batch.cached_tokens[i];
    require(0 <= cached && cached <= batch.document_lengths[i],
            "cached_tokens[" + std::to_string(i) + "]", cached,
            "from 0 to the document's length, " + std::to_string(batch.document_lengths[i]));
  }
  if (batch.new_tokens() == 0) {
    throw UserError("cached_tokens hold all " + std::to_string(batch.tokens()) +
                    " tokens; at least one must be new");
  }
}

void validate_forest(const Batch& batch) {
  if (batch.mask == Mask::causal && !batch.is_uniform()) {
    throw UserError(
        "mask is causal, which sees the pack as one document; must be document_causal "
        "where documents have parents or rules");
  }
  require_one_per_document("parents", batch.parents.size(), batch);
  std::vector<int64_t> ancestors;
  for (size_t d = 0; d < batch.parents.size(); ++d) {
    const int32_t parent = batch.parents[d];
    const std::string name = "parents[" + std::to_string(d) + "]";
    require(-1 <= parent && parent < static_cast<int64_t>(d), name, parent,
            "an earlier document, or -1");
    ancestors.push_back(parent < 0 ? 0 : ancestors[parent] + 1);
    require(ancestors.back() <= kMaxAncestors, name, parent,
            "a document with at most " + std::to_string(kMaxAncestors - 1) + " ancestors");
  }
  require_one_per_document("rules", batch.rules.size(), batch);
  if (!batch.rules.empty() && batch.mask != Mask::document_causal) {
    throw UserError(std::string("mask is ") + name_of(batch.mask) +
                    "; must be document_causal where documents have rules");
  }
  for (size_t d = 0; d < batch.rules.size(); ++d) {
    const std::string name = "rules[" + std::to_string(d) + "]";
    if (batch.rules[d].mask == Mask::causal) {
      throw UserError(name + " is causal; must be a mask inside one document");
    }
    require_window("the window of " + name, batch.rules[d].mask, batch.rules[d].window);
  }
  require_window("window", batch.mask, batch.window);
}

// The layers of all masks, as a factor of the work of a query; 1 if there is one mask.
double work_factor(const Batch& batch) {
  double layers = 0;
  for (const auto& [rule, count] : batch.layer_masks) {
    require_window("the window of layer_masks", rule.mask, rule.window);
    require(count >= 1, "the number of layers", count, "at least 1");
    layers += static_cast<double>(count);
  }
  return batch.layer_masks.empty() ? 1 : layers;
}

}  // namespace

int64_t Batch::tokens() const {
  return std::accumulate(document_lengths.begin(), document_lengths.end(), int64_t{0});
}

int64_t Batch::new_tokens() const {
  return tokens() - std::accumulate(cached_tokens.begin(), cached_tokens.end(), int64_t{0});
}

std::vector<LayerBatch> layer_batches(const Batch& batch) {
  std::vector<LayerBatch> all;
  for (const auto& [rule, layers] : batch.layer_masks) {
    Batch& one = all.emplace_back(batch, layers).batch;
    one.layer_masks.clear();
    one.mask = rule.mask;
    one.window = rule.window;
  }
  if (all.empty()) all.emplace_back(batch);
  return all;
}

int64_t bytes_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64:
      return 8;
    case Dtype::float32:
      return 4;
    case Dtype::bfloat16:
      return 2;
  }
  return 0;
}

Dtype accumulation_dtype(Dtype dtype) {
  return dtype == Dtype::float64 ? Dtype::float64 : Dtype::float32;
}

double layer_flops_per_token(const AttentionShape& shape) {
  const auto hidden = static_cast<double>(shape.hidden_size);
  const double q = shape.query_heads * shape.head_dim;
  const double kv = shape.kv_heads * (shape.head_dim + shape.value_head_dim);
  const double o = shape.query_heads * shape.value_head_dim;
  return 2 * hidden * (q + kv + o + 3 * static_cast<double>(shape.ffn_size));
}

double latent_flops_per_token(const AttentionShape& shape, int32_t kv_heads) {
  const int64_t width = shape.head_dim - shape.latent_rope_size + shape.value_head_dim;
  return 2.0 * static_cast<double>(shape.latent_size * kv_heads * width);
}

void validate(const Problem& problem) {
  const Batch& batch = problem.batch;
  if (batch.document_lengths.empty())
    throw UserError("document_lengths is empty; give at least one");
  int64_t tokens = 0;
  for (size_t i = 0; i < batch.document_lengths.size(); ++i) {
    require_range("document_lengths[" + std::to_string(i) + "]", batch.document_lengths[i], 0,
                  kMaxTokens);
    tokens += batch.document_lengths[i];
    require(tokens <= kMaxTokens, "the sum of document_lengths", tokens,
            "at most " + std::to_string(kMaxTokens));
  }
  require(tokens >= 1, "the sum of document_lengths", tokens, "at least 1");
  validate_cached(batch);
  validate_forest(batch);
  const AttentionShape& shape = problem.shape;
  require_range("query_heads", shape.query_heads, 1, kMaxHeads);
  require_range("kv_heads", shape.kv_heads, 1, kMaxHeads);
  require(shape.query_heads % shape.kv_heads == 0, "kv_heads", shape.kv_heads,
          "a divisor of query_heads, " + std::to_string(shape.query_heads));
  require_range("head_dim", shape.head_dim, 1, kMaxHeadDim);
  require_range("value_head_dim", shape.value_head_dim, 1, kMaxHeadDim);
  require_range("hidden_size", shape.hidden_size, 0, kMaxLayerSize);
  require_range("ffn_size", shape.ffn_size, 0, kMaxLayerSize);
  require_range("latent_size", shape.latent_size, 0,
                int64_t{shape.kv_heads} * (shape.head_dim + shape.value_head_dim));
  require_range("latent_rope_size", shape.latent_rope_size, 0,
                shape.latents_travel() ? shape.head_dim : 0);
  const Cluster& cluster = problem.cluster;
  require_range("nodes", cluster.nodes, 1, kMaxRanks);
  require_range("gpus_per_node", cluster.gpus_per_node, 1, kMaxRanks);
  const int64_t ranks = int64_t{cluster.nodes} * cluster.gpus_per_node;
  require_range("nodes times gpus_per_node", ranks, 1, kMaxRanks);
  visit_fields(cluster, [](const std::string& name, auto value) {
    if (!std::isfinite(static_cast<double>(value)) || value < 0) {
      throw UserError(name + " is " + std::to_string(value) + "; must be finite and at least 0");
    }
  });
  const double heads = shape.query_heads;
  if (work_factor(batch) * most_pairs(batch) * heads > kMaxPairs) {
    throw UserError(
        std::to_string(tokens) + " tokens and " + std::to_string(shape.query_heads) +
        " query heads are too many: the squared lengths of documents (of the batch with "
        "mask causal) times heads must be at most 2^62");
  }
  const double elements = heads * (shape.head_dim + shape.value_head_dim);
  if (static_cast<double>(tokens) * static_cast<double>(ranks) * elements > kMaxElements) {
    throw UserError(std::to_string(tokens) + " tokens on " + std::to_string(ranks) +
                    " ranks are too many: tokens times ranks times query_heads times (head_dim + "
                    "value_head_dim) must be at most 2^58");
  }
}

}  // namespace cpbench
