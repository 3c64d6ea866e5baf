// What compiling and simulating a plan will take at least, estimated before it begins. Attends and
// messages are counted; the segments of their calls are not, and neither is the plan.
#pragma once

#include <cstdint>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"

namespace cpbench {

struct ExpectedCost {
  int64_t attends = 0;
  int64_t messages = 0;  // of one rank to one other
  double bytes = 0;      // of memory
  double seconds = 0;    // of one core
};

ExpectedCost expected_cost(const Plan& plan, Passes passes);

}  // namespace cpbench
