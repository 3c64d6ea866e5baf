// Checks a plan against the rules P1..P9 of plan.h before anything runs.
//
//   CheckReport report = check(problem, plan);
//   if (!report.ok()) print(report.violations.front().text());
//
// How the proof works. Coverage (P3) is proved on classes of queries: queries that belong to the
// same attends meet the same list of key sets. Each distinct list is united once, so a ring of N
// ranks costs N^2 operations plus the ranges of N sets. Presence (P4, P7, P8) and partial results
// (P5, P6) are proved per rank, on the names of sets first and on ranges only where names do not
// decide. The time is near-linear in operations plus ranges. The check does not cover numerical
// accuracy or time.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/deadline.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct Violation {
  std::string rule;   // "P3"
  std::string where;  // "forward step 2 rank 5 kv [128, 256)": pass, step, rank, tensor, tokens
  std::string expected;
  std::string found;
  std::string text() const;  // one line
};

struct CheckReport {
  std::vector<Violation> violations;  // the first few of each rule; none if the plan is correct
  std::vector<int64_t> peak_bytes;    // per rank, over both passes; empty if P1 or P2 fails
  bool ok() const { return violations.empty(); }
};

enum class Passes : uint8_t { forward, both };

// Throws DidNotEnd soon after the deadline.
CheckReport check(const Problem& problem, const Plan& plan, Passes passes = Passes::both,
                  const Deadline& deadline = {});

}  // namespace cpbench
