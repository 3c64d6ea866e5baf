// What a plan costs, exactly, without running it.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct PassSummary {
  int32_t steps = 0;
  int64_t attends = 0;
  int64_t sends = 0;
  std::vector<int64_t> bytes_out;  // per rank, wire (with padding and duplicates)
  std::vector<int64_t> bytes_in;
  int64_t wire_bytes = 0;        // sum of bytes_out
  int64_t inter_node_bytes = 0;  // of the wire bytes
};

struct PlanSummary {
  uint64_t hash = 0;
  PassSummary forward;
  PassSummary backward;                  // zeros for forward-only runs
  int64_t useful_bytes = 0;              // distinct KV (or Q, O, gradients) data that the
                                         // attends need from elsewhere, both passes
  std::vector<int64_t> pairs_per_rank;   // (query, key, query head) pairs attended
  std::vector<int64_t> tokens_per_rank;  // owned at home
  std::vector<int64_t> peak_bytes;       // per rank, planned
};

PlanSummary summary_of(const Problem& problem, const Plan& plan, const CheckReport& report,
                       Passes passes);

}  // namespace cpbench
