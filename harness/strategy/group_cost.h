// How long a group of ranks is expected to take for its sequences, forward and backward, when they
// are attended in a ring or by Ulysses. The one place where strategies that form groups get their
// constants from; a guide for choices, never a measurement.
//
//   GroupCost cost(problem);
//   GroupCost::Load load = cost.load_of(sequence);  // loads add up
//   double seconds = cost.ring_seconds(load, 4);
//
// A group of at most gpus_per_node ranks is taken to lie inside one node.
#pragma once

#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/problem.h"

namespace cpbench {

// In place of what a Cluster leaves unknown (0). An H100 SXM5 by its data sheet, with one 400 Gb/s
// network port: peak of dense bfloat16, NVLink and network per direction.
inline constexpr double kDefaultFlopsPerSecond = 989e12;
inline constexpr double kDefaultIntraNodeBytesPerSecond = 450e9;
inline constexpr double kDefaultInterNodeBytesPerSecond = 50e9;
// Assumed, as no field of a Cluster says it: what fraction of the peak attention and the layer
// around it attain, and what it takes to start one exchange.
inline constexpr double kAttainedFraction = 0.5;
inline constexpr double kExchangeLatencySeconds = 10e-6;
// The usual convention: backward attention is five matrix products to the forward's two.
inline constexpr double kBackwardAttention = 2.5;

class GroupCost {
 public:
  // What sequences weigh. Work on a single rank is attention + linear.
  struct Load {
    int64_t tokens = 0;
    double attention_seconds = 0;  // forward alone, on one rank
    double linear_seconds = 0;     // of the layer around it, forward and backward, on one rank

    Load& operator+=(const Load& other) {
      tokens += other.tokens;
      attention_seconds += other.attention_seconds;
      linear_seconds += other.linear_seconds;
      return *this;
    }
  };

  explicit GroupCost(const Problem& problem);

  Load load_of(Range sequence) const;  // inside one document, or any under the causal mask

  // On one rank: a2 s^2 + a1 s of the papers, with a2 s^2 counted as the mask's pairs.
  double work_seconds(const Load& load) const {
    return (1 + kBackwardAttention) * load.attention_seconds + load.linear_seconds;
  }

  // work / d + (d - 1) * (what a hop outlasts the attention it runs beside, forward and backward).
  // A hop carries one rank's shard: ceil(tokens / d) tokens of KV, backward also of dKV. The term
  // does not fall as 1/d, so cutting ever finer does not pay.
  double ring_seconds(const Load& load, int32_t degree) const;

  // work / d + six all-to-alls that nothing hides: Q, KV, O; dO, dQ, dKV. Linear in the load, but
  // for the exchanges' latency, which an empty load has too.
  double all_to_all_seconds(const Load& load, int32_t degree) const;

 private:
  double bytes_per_second(int32_t degree) const { return degree <= node_ ? intra_ : inter_; }

  MaskIndex mask_;
  AttentionShape shape_;
  int32_t node_;
  double intra_, inter_;
  double seconds_per_pair_, linear_seconds_per_token_;
  double hop_bytes_, backward_hop_bytes_;  // per token
};

// The load of every sequence of the batch (sequences_of in groups.h).
using Loads = std::vector<GroupCost::Load>;
Loads loads_of(const std::vector<Range>& sequences, const GroupCost& cost);

// Indices into the loads, most tokens first; ties in order of index.
std::vector<int32_t> longest_first(const Loads& loads);

}  // namespace cpbench
