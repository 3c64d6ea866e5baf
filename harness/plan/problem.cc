#include "harness/plan/problem.h"

#include <cmath>
#include <numeric>

#include "harness/plan/errors.h"
#include "harness/plan/limits.h"
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

}  // namespace

int64_t Batch::tokens() const {
  return std::accumulate(document_lengths.begin(), document_lengths.end(), int64_t{0});
}

int64_t Batch::new_tokens() const {
  return tokens() - std::accumulate(cached_tokens.begin(), cached_tokens.end(), int64_t{0});
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

void validate(const Problem& problem) {
  const Batch& batch = problem.batch;
  if (batch.document_lengths.empty())
    throw UserError("document_lengths is empty; give at least one");
  int64_t tokens = 0;
  double pairs = 0;  // of one head
  for (size_t i = 0; i < batch.document_lengths.size(); ++i) {
    require_range("document_lengths[" + std::to_string(i) + "]", batch.document_lengths[i], 1,
                  kMaxTokens);
    tokens += batch.document_lengths[i];
    require(tokens <= kMaxTokens, "the sum of document_lengths", tokens,
            "at most " + std::to_string(kMaxTokens));
    pairs += std::pow(batch.document_lengths[i], 2);
  }
  if (batch.mask == Mask::causal) pairs = std::pow(tokens, 2);
  if (!batch.cached_tokens.empty()) {
    const int64_t documents = static_cast<int64_t>(batch.document_lengths.size());
    const int64_t counts = static_cast<int64_t>(batch.cached_tokens.size());
    require(counts == documents, "the number of cached_tokens", counts,
            std::to_string(documents) + ", one per document, or 0");
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
  if (batch.mask == Mask::sliding_window) {
    require(1 <= batch.window && batch.window <= kMaxTokens, "window", batch.window,
            "from 1 to " + std::to_string(kMaxTokens) + " tokens with mask sliding_window");
  } else {
    require(batch.window == 0, "window", batch.window, "0 unless the mask is sliding_window");
  }
  const AttentionShape& shape = problem.shape;
  require_range("query_heads", shape.query_heads, 1, kMaxHeads);
  require_range("kv_heads", shape.kv_heads, 1, kMaxHeads);
  require(shape.query_heads % shape.kv_heads == 0, "kv_heads", shape.kv_heads,
          "a divisor of query_heads, " + std::to_string(shape.query_heads));
  require_range("head_dim", shape.head_dim, 1, kMaxHeadDim);
  require_range("value_head_dim", shape.value_head_dim, 1, kMaxHeadDim);
  require_range("hidden_size", shape.hidden_size, 0, kMaxLayerSize);
  require_range("ffn_size", shape.ffn_size, 0, kMaxLayerSize);
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
  if (pairs * heads > kMaxPairs) {
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
