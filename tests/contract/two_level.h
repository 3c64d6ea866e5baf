// A two-level strategy for tests of the tests: all-gather inside each node, ring across the nodes.
// It is not registered.
#pragma once

#include "harness/plan/plan.h"

namespace cpbench::contract {

// Throws Unsupported if there are fewer tokens than ranks.
Plan two_level_plan(const Problem& problem);

// The same with a wrong backward pass: gradients are summed only inside each node. On one node it
// is correct.
Plan wrong_two_level_plan(const Problem& problem);

}  // namespace cpbench::contract
