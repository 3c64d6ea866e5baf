// Plans written by hand, at least one for each thing that a plan can express: what no strategy uses
// yet must compute right numbers too.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct HandPlan {
  std::string name;
  Plan (*plan)(const Problem& problem) = nullptr;  // throws Unsupported as strategies do
};
const std::vector<HandPlan>& hand_plans();

}  // namespace cpbench
