// A slow judge of plans, pair by pair and token by token, to which the checker is compared.
#pragma once

#include <set>
#include <string>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench::contract {

// The labels of all rules P3..P8 that the plan breaks. P1, P2 and P9 must hold.
std::set<std::string> broken_rules(const Problem& problem, const Plan& plan);

}  // namespace cpbench::contract
