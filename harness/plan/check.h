// Judges a plan by the rules P1..P9 of plan.h before anything runs.
//
// Proof. Coverage (P3) is proved on classes of queries: queries that belong to the same attends
// see the same list of key sets; a list is united once, whoever uses it, so a ring of N ranks
// costs N^2 operations plus the ranges of N sets. Presence (P4, P5, P7) is proved per rank on set
// names first and on ranges only where names do not decide. Near-linear in operations plus ranges.
// Left unproved: numerical accuracy, and time.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct Violation {
  std::string rule;   // "P3"
  std::string where;  // "forward step 2 rank 5 kv [128, 256)"
  std::string expected;
  std::string found;
  std::string text() const;  // one line
};

struct CheckReport {
  std::vector<Violation> violations;  // the first few of each rule; empty: the plan is correct
  std::vector<int64_t> peak_bytes;    // per rank, over both passes; empty if P1 or P2 fails
  bool ok() const { return violations.empty(); }
};

enum class Passes : uint8_t { forward, both };

CheckReport check(const Problem& problem, const Plan& plan, Passes passes = Passes::both);

}  // namespace cpbench
