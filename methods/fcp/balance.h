// How even a schedule is over ranks: max / mean of work, tokens and traffic.
#pragma once

#include "harness/plan/problem.h"
#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

struct Balance {
  double compute = 1;
  double tokens = 1;
  double sent = 1;  // tokens of K,V between units' ranks, without the relayout
  double received = 1;
  double largest_unit = 0;  // its work over the mean of a rank
  // What any placement of these units has at least (bounds.h). Above 1, a smaller block mends it.
  double compute_bound = 1;
};

// Max / mean pairs of ranks.
double compute_imbalance(const std::vector<Unit>& units, const std::vector<int32_t>& rank_of,
                         int32_t ranks);

Balance balance_of(const Problem& problem, const Schedule& schedule);

}  // namespace cpbench::fcp
