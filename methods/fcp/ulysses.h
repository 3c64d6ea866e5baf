// Ulysses inside groups of neighbouring ranks, with fcp between the groups.
//
//   const Problem groups = between_groups(problem, 8);            // one rank for each group of 8
//   Plan plan = inside_groups(problem, write_plan(groups, ...), 8);
//
// A rank is at home with an even share of its group's tokens. First the group exchanges Q, K and V
// (dO in the backward pass), so that each of its ranks has all the tokens of the group for its
// share of the heads. Then the i-th ranks of all groups do what the plan between the groups says,
// with these heads and among themselves, so no transfer on a network of rails takes two hops. Last,
// O (dQ, dK and dV) returns to the ranks that are its home.
#pragma once

#include "harness/plan/plan.h"

namespace cpbench::fcp {

// Throws Unsupported, with the numbers, if `group` does not divide the ranks of a node or the KV
// heads.
Problem between_groups(const Problem& problem, int32_t group);

Plan inside_groups(const Problem& problem, const Plan& between, int32_t group);

}  // namespace cpbench::fcp
