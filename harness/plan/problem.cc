#include "harness/plan/problem.h"

#include <numeric>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

void require(bool good, const std::string& field, int64_t value, const std::string& want) {
  if (!good) throw UserError(field + " is " + std::to_string(value) + "; must be " + want);
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
  for (size_t i = 0; i < batch.document_lengths.size(); ++i) {
    require(batch.document_lengths[i] >= 1, "document_lengths[" + std::to_string(i) + "]",
            batch.document_lengths[i], "at least 1 token");
  }
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
    require(batch.window >= 1, "window", batch.window, "at least 1 token with mask sliding_window");
  } else {
    require(batch.window == 0, "window", batch.window, "0 unless the mask is sliding_window");
  }
  const AttentionShape& shape = problem.shape;
  require(shape.query_heads >= 1, "query_heads", shape.query_heads, "at least 1");
  require(shape.kv_heads >= 1, "kv_heads", shape.kv_heads, "at least 1");
  require(shape.query_heads % shape.kv_heads == 0, "kv_heads", shape.kv_heads,
          "a divisor of query_heads, " + std::to_string(shape.query_heads));
  require(shape.head_dim >= 1, "head_dim", shape.head_dim, "at least 1");
  require(shape.value_head_dim >= 1, "value_head_dim", shape.value_head_dim, "at least 1");
  require(shape.hidden_size >= 0, "hidden_size", shape.hidden_size, "0 or more");
  require(shape.ffn_size >= 0, "ffn_size", shape.ffn_size, "0 or more");
  require(problem.cluster.nodes >= 1, "nodes", problem.cluster.nodes, "at least 1");
  require(problem.cluster.gpus_per_node >= 1, "gpus_per_node", problem.cluster.gpus_per_node,
          "at least 1");
}

}  // namespace cpbench
