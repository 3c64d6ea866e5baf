#include "methods/flexcp/cost.h"

#include <algorithm>

namespace cpbench::flexcp {
namespace {

// What a step of a ring reads and writes in addition to attention, in bytes per element of O:
// partial outputs are merged, gradients are added, and K, V and their gradients are copied. Fitted
// to simulated groups of 2 to 8 ranks with 16K tokens each on h100 (125) and ascend910b (107); a
// quarter of it belongs to the forward pass.
constexpr double kLocalBytesPerElement = 115;
constexpr double kForwardPart = 0.25;
// Used where a Cluster leaves it unknown: an H100 SXM5 by its data sheet.
constexpr double kDefaultMemoryBytesPerSecond = 3.35e12;

double scale(double efficiency) { return efficiency > 0 ? kAttainedFraction / efficiency : 1; }

}  // namespace

Cost::Cost(const Problem& problem, const CostOptions& options)
    : group_(problem), options_(options) {
  const double memory = problem.cluster.memory_bytes_per_second > 0
                            ? problem.cluster.memory_bytes_per_second
                            : kDefaultMemoryBytesPerSecond;
  local_seconds_per_token_ =
      kLocalBytesPerElement * problem.shape.query_heads * problem.shape.value_head_dim / memory;
}

Cost::Load Cost::load_of(Range sequence) const {
  Load load = group_.load_of(sequence);
  load.attention_seconds *= scale(options_.attention_efficiency);
  load.linear_seconds *= scale(options_.layer_efficiency);
  return load;
}

double Cost::seconds(const Load& load, int32_t degree) const {
  switch (options_.model) {
    case CostModel::published:
      return published_seconds(load, degree);
    case CostModel::ring:
      return group_.ring_seconds(load, degree);
    case CostModel::calibrated:
      return calibrated_seconds(load, degree);
  }
  return 0;
}

double Cost::published_seconds(const Load& load, int32_t degree) const {
  const double constant = static_cast<double>(load.sequences) * options_.sequence_seconds;
  const GroupCost::Hop hop = group_.hop(load.tokens, degree);
  const double transfer = degree == 1 ? 0 : hop.forward_seconds + hop.backward_seconds;
  return (group_.work_seconds(load) + transfer) / degree + constant;
}

// A step takes as long as its hop, or as its attention and what else the rank does, whichever is
// longer. The last step has no hop.
double Cost::calibrated_seconds(const Load& load, int32_t degree) const {
  if (degree == 1) return group_.work_seconds(load);
  const int64_t shard_tokens = (load.tokens + degree - 1) / degree;
  const GroupCost::Hop hop = group_.hop(shard_tokens, degree);
  const double attention = load.attention_seconds / degree / degree;
  const double local = static_cast<double>(shard_tokens) * local_seconds_per_token_;
  const auto pass = [&](double hop_seconds, double attention_seconds, double local_seconds) {
    return attention_seconds + (degree - 1) * std::max(kExchangeLatencySeconds + hop_seconds,
                                                       attention_seconds + local_seconds);
  };
  return load.linear_seconds / degree + pass(hop.forward_seconds, attention, kForwardPart * local) +
         pass(hop.backward_seconds, kBackwardAttention * attention, (1 - kForwardPart) * local);
}

Loads loads_of(const std::vector<Range>& sequences, const Cost& cost) {
  Loads loads;
  for (const Range& sequence : sequences) loads.push_back(cost.load_of(sequence));
  return loads;
}

}  // namespace cpbench::flexcp
