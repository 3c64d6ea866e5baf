#include "harness/strategy/group_cost.h"

#include <algorithm>

#include "harness/plan/plan_bytes.h"
#include "harness/strategy/head_group.h"
#include "harness/strategy/order.h"

namespace cpbench {
namespace {

double known_or(double value, double otherwise) { return value > 0 ? value : otherwise; }

}  // namespace

GroupCost::GroupCost(const Problem& problem, AllToAll all_to_all)
    : mask_(problem.batch),
      shape_(problem.shape),
      all_to_all_(all_to_all),
      node_(problem.cluster.gpus_per_node),
      intra_(
          known_or(problem.cluster.intra_node_bytes_per_second, kDefaultIntraNodeBytesPerSecond)),
      inter_(
          known_or(problem.cluster.inter_node_bytes_per_second, kDefaultInterNodeBytesPerSecond)) {
  const double attained =
      kAttainedFraction * known_or(problem.cluster.peak_flops_per_second, kDefaultFlopsPerSecond);
  seconds_per_pair_ =
      2.0 * shape_.query_heads * (shape_.head_dim + shape_.value_head_dim) / attained;
  // The backward pass computes gradients of the inputs and of the weights: twice the forward pass.
  linear_seconds_per_token_ = 3 * layer_flops_per_token(shape_) / attained;
  const Heads all{0, shape_.query_heads};
  constexpr GradientWire wire = GradientWire::accumulation;
  hop_bytes_ = static_cast<double>(wire_bytes_per_token(Tensor::kv, all, shape_, wire));
  backward_hop_bytes_ =
      hop_bytes_ + static_cast<double>(wire_bytes_per_token(Tensor::dkv, all, shape_, wire));
}

GroupCost::Load GroupCost::load_of(Range sequence) const {
  const double pairs = static_cast<double>(mask_.work(RangeSpan(&sequence, 1))) /
                       static_cast<double>(mask_.layers());
  return {sequence.size(), pairs * seconds_per_pair_,
          static_cast<double>(sequence.size()) * linear_seconds_per_token_, 1};
}

double GroupCost::ring_seconds(const Load& load, int32_t degree) const {
  const double work = work_seconds(load) / degree;
  if (degree == 1) return work;
  const int64_t shard_tokens = (load.tokens + degree - 1) / degree;
  const Hop one = hop(shard_tokens, degree);
  const double attention = load.attention_seconds / degree / degree;  // next to one hop
  const double forward = kExchangeLatencySeconds + one.forward_seconds;
  const double backward = kExchangeLatencySeconds + one.backward_seconds;
  const double exposed =
      std::max(0.0, forward - attention) + std::max(0.0, backward - kBackwardAttention * attention);
  return work + (degree - 1) * exposed;
}

GroupCost::Hop GroupCost::hop(int64_t tokens, int32_t degree) const {
  const double transfer = static_cast<double>(tokens) / bytes_per_second(degree);
  return {hop_bytes_ * transfer, backward_hop_bytes_ * transfer};
}

double GroupCost::all_to_all_seconds(const Load& load, int32_t degree) const {
  if (degree == 1) return work_seconds(load);
  // Of the rank with the most heads. KV heads are replicated if there are fewer of them than ranks,
  // so these are the wire bytes of one rank's heads.
  const Heads heads = split_heads(shape_, std::min(degree, shape_.query_heads)).front();
  const double share = static_cast<double>(heads.size()) / shape_.query_heads;
  const double work =
      (1 + kBackwardAttention) * load.attention_seconds * share + load.linear_seconds / degree;
  double bytes_per_token = 0;
  for (Tensor tensor : {Tensor::q, Tensor::kv, Tensor::o, Tensor::d_o, Tensor::dq, Tensor::dkv}) {
    bytes_per_token +=
        static_cast<double>(wire_bytes_per_token(tensor, heads, shape_, GradientWire::model));
  }
  const double shard = static_cast<double>(load.tokens) / degree;
  return work + 6 * kExchangeLatencySeconds +
         shard * bytes_per_token * seconds_per_exchanged_byte(degree);
}

double GroupCost::seconds_per_exchanged_byte(int32_t degree) const {
  if (degree <= node_ || all_to_all_ == AllToAll::slowest_link) {
    return (degree - 1) / bytes_per_second(degree);
  }
  return std::max((node_ - 1) / intra_, (degree - node_) / inter_);
}

double GroupCost::gather_seconds(int64_t tokens_per_rank, int32_t degree) const {
  const Heads all{0, shape_.query_heads};
  const auto bytes =
      static_cast<double>(wire_bytes_per_token(Tensor::kv, all, shape_, GradientWire::model) +
                          wire_bytes_per_token(Tensor::dkv, all, shape_, GradientWire::model));
  return (degree - 1) * static_cast<double>(tokens_per_rank) * bytes / bytes_per_second(degree);
}

Loads loads_of(const std::vector<Range>& sequences, const GroupCost& cost) {
  Loads loads;
  for (const Range& sequence : sequences) loads.push_back(cost.load_of(sequence));
  return loads;
}

std::vector<int32_t> longest_first(const Loads& loads) {
  return largest_first(loads.size(), [&](int32_t i) { return loads[i].tokens; });
}

}  // namespace cpbench
