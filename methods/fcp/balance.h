// How even a schedule is over the ranks: max / mean of work, tokens and traffic.
//
//   const Balance balance = balance_of(problem, make_schedule(problem, options));
//   balance.compute         // 1.02: the busiest rank has 2% more pairs than the mean
#pragma once

#include "harness/plan/problem.h"
#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

struct Balance {
  double compute = 1;
  double tokens = 1;
  double sent = 1;          // K,V tokens sent to ranks of other units, without the relayout
  double received = 1;      // the same, received
  double largest_unit = 0;  // work of the largest unit / mean work of a rank
  // The lower bound of `compute` for any placement of these units (bounds.h). If it is above 1, a
  // smaller block lowers it.
  double compute_bound = 1;
};

// Max / mean of the pairs that the ranks attend.
double compute_imbalance(const std::vector<Unit>& units, const std::vector<int32_t>& rank_of,
                         int32_t ranks);

Balance balance_of(const Problem& problem, const Schedule& schedule);

}  // namespace cpbench::fcp
