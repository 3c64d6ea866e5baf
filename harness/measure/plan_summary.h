// The exact costs of a plan, without executing it.
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
  std::vector<int64_t> bytes_out;  // per rank, on the wire, with padding and duplicates
  std::vector<int64_t> bytes_in;
  int64_t wire_bytes = 0;        // sum of bytes_out
  int64_t inter_node_bytes = 0;  // the part of wire_bytes that crosses nodes
};

struct PlanSummary {
  uint64_t hash = 0;
  PassSummary forward;
  PassSummary backward;                  // zeros if only the forward pass runs
  int64_t useful_bytes = 0;              // distinct data (KV, or Q, O and gradients) that
                                         // attends need from other ranks, both passes
  std::vector<int64_t> pairs_per_rank;   // (query, key, query head) pairs attended
  std::vector<int64_t> tokens_per_rank;  // owned at home
  std::vector<int64_t> peak_bytes;       // per rank, planned
};

PlanSummary summary_of(const Problem& problem, const Plan& plan, const CheckReport& report,
                       Passes passes);

}  // namespace cpbench
