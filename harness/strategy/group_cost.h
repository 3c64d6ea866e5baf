// How long a group of ranks is expected to take for its sequences, forward and backward, when they
// are attended in a ring or by Ulysses. All strategies that form groups take their constants from
// here. The result guides decisions; it is never a measurement.
//
//   GroupCost cost(problem);
//   GroupCost::Load load = cost.load_of(sequence);  // loads can be added
//   double seconds = cost.ring_seconds(load, 4);
//
// A group of at most gpus_per_node ranks is assumed to lie inside one node.
#pragma once

#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/problem.h"

namespace cpbench {

// Used where a Cluster leaves a value unknown (0): an H100 SXM5 by its data sheet, with one 400
// Gb/s network port. The peak is dense bfloat16; NVLink and network are per direction.
inline constexpr double kDefaultFlopsPerSecond = 989e12;
inline constexpr double kDefaultIntraNodeBytesPerSecond = 450e9;
inline constexpr double kDefaultInterNodeBytesPerSecond = 50e9;
// Assumptions that no field of a Cluster states: the fraction of the peak that attention and the
// layer around it reach, and the time that starting one exchange takes.
inline constexpr double kAttainedFraction = 0.5;
inline constexpr double kExchangeLatencySeconds = 10e-6;
// The usual convention: backward attention takes five matrix products where forward takes two.
inline constexpr double kBackwardAttention = 2.5;

// What bounds an all-to-all of a group across nodes.
enum class AllToAll : uint8_t {
  slowest_link,  // all of it takes the time of the network
  each_link,     // what stays in a node and what leaves it travel at the same time
};

class GroupCost {
 public:
  // The work of sequences. Their work on a single rank is attention + linear.
  struct Load {
    int64_t tokens = 0;
    double attention_seconds = 0;  // on one rank, only the forward pass
    double linear_seconds = 0;     // of the layer around it, on one rank, both passes
    int64_t sequences = 0;

    Load& operator+=(const Load& other) {
      tokens += other.tokens;
      sequences += other.sequences;
      attention_seconds += other.attention_seconds;
      linear_seconds += other.linear_seconds;
      return *this;
    }
  };

  explicit GroupCost(const Problem& problem, AllToAll all_to_all = AllToAll::slowest_link);

  // Of one layer, the mean one if their masks differ. `sequence` is part of one document, or any
  // range with mask causal.
  Load load_of(Range sequence) const;

  // Time on one rank: the papers' a2 s^2 + a1 s, where a2 s^2 counts the pairs of the mask.
  double work_seconds(const Load& load) const {
    return (1 + kBackwardAttention) * load.attention_seconds + load.linear_seconds;
  }

  // The time on the wire of K, V of so many tokens, and in the backward pass of K, V, dK and dV in
  // the accumulation dtype, between ranks of a group of this degree.
  struct Hop {
    double forward_seconds = 0, backward_seconds = 0;
  };
  Hop hop(int64_t tokens, int32_t degree) const;

  // work / d + (d - 1) * (the time of a hop beyond the attention that runs next to it, in both
  // passes). A hop carries one rank's shard: ceil(tokens / d) tokens of KV, and in the backward
  // pass also their dKV. This term does not fall as 1/d, so ever finer cuts do not pay.
  double ring_seconds(const Load& load, int32_t degree) const;

  // The work of the rank with the most heads + six all-to-alls that nothing hides: Q, KV, O; dO,
  // dQ, dKV. Linear in the load, except for the latency of the exchanges, which an empty load has
  // too.
  double all_to_all_seconds(const Load& load, int32_t degree) const;
  // The time that a byte from each rank to each other one takes.
  double seconds_per_exchanged_byte(int32_t degree) const;

  // An all-gather of K, V and a reduce-scatter of dK, dV in the model's dtype, with so many tokens
  // per rank. Without latency, so it is proportional to the tokens.
  double gather_seconds(int64_t tokens_per_rank, int32_t degree) const;

 private:
  double bytes_per_second(int32_t degree) const { return degree <= node_ ? intra_ : inter_; }

  MaskIndex mask_;
  AttentionShape shape_;
  AllToAll all_to_all_;
  int32_t node_;
  double intra_, inter_;
  double seconds_per_pair_, linear_seconds_per_token_;
  double hop_bytes_, backward_hop_bytes_;  // per token
};

// The load of every sequence of the batch (sequences_of in groups.h).
using Loads = std::vector<GroupCost::Load>;
Loads loads_of(const std::vector<Range>& sequences, const GroupCost& cost);

// Indices into the loads, most tokens first; equal loads stay in the order of their index.
std::vector<int32_t> longest_first(const Loads& loads);

}  // namespace cpbench
