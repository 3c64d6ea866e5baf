// The stable text form of a plan: for golden tests and diffs, and it round-trips.
#pragma once

#include <iosfwd>
#include <string>

#include "harness/plan/plan.h"

namespace cpbench {

std::string plan_text(const Plan& plan);
Plan plan_from_text(const std::string& text);  // throws UserError: "line 7: ..."

const char* name_of(Tensor tensor);  // "q", "kv", "o", "do", "dq", "dkv"
const char* name_of(CollectiveKind kind);
const char* name_of(Mask mask);
const char* name_of(Dtype dtype);
const char* name_of(GradientWire wire);
std::string ranges_text(RangeSpan ranges);  // "0-4,8-12"; "-" when empty

}  // namespace cpbench
