// Plans written by hand, one for each thing that a plan can say: what strategies do not use yet
// must compute right too.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct HandPlan {
  std::string name;
  bool needs_tokens_everywhere = false;  // cannot be said where a rank is empty
  Plan (*plan)(const Problem& problem) = nullptr;
};
const std::vector<HandPlan>& hand_plans();

}  // namespace cpbench
