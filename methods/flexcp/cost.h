// The time that a group of ranks is expected to take, by which degrees are chosen.
//
//   Cost cost(problem, {.model = CostModel::published});
//   cost.seconds(load, 4);   // of sequences with this load, on 4 ranks
#pragma once

#include "harness/strategy/group_cost.h"

namespace cpbench::flexcp {

enum class CostModel : uint8_t {
  published,   // the paper's terms: a s^2 / d + b s / d + c s / d, and a constant per sequence
  ring,        // GroupCost::ring_seconds: hops are hidden behind attention, or exposed
  calibrated,  // ring, and what a step of a ring costs outside of attention
};

struct CostOptions {
  CostModel model = CostModel::published;
  double sequence_seconds = 0;      // for `published`: the constant per sequence
  double attention_efficiency = 0;  // attained fraction of the peak; 0: kAttainedFraction
  double layer_efficiency = 0;      // the same for the layer around the attention
};

class Cost {
 public:
  using Load = GroupCost::Load;

  explicit Cost(const Problem& problem, const CostOptions& options = {});

  // The load counts its sequences, and the efficiencies are in it.
  Load load_of(Range sequence) const;
  double seconds(const Load& load, int32_t degree) const;

 private:
  double published_seconds(const Load& load, int32_t degree) const;
  double calibrated_seconds(const Load& load, int32_t degree) const;

  GroupCost group_;
  CostOptions options_;
  double local_seconds_per_token_;  // outside of attention, in both passes of one step
};

Loads loads_of(const std::vector<Range>& sequences, const Cost& cost);

}  // namespace cpbench::flexcp
