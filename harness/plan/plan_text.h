// The stable text form of a plan, for golden tests and diffs; it round-trips.
//
//   plan ranks 2 tokens 8 query_heads 1 gradient_wire model
//   tokens 1 0-4                 token set 1 is [0, 4)
//   ranks 1 0-1
//   home 0 1                     rank 0 owns token set 1
//   forward lookahead 1
//   collective 0 all_gather 4
//   attend 0 rank 0 q 1 kv 1 heads 0-1
//   send 0.0 from 1 to 2 kv 1 heads 0-1 collective 0     step 0, sub-stage 0, sets of ranks
//   backward lookahead 1
//   keep 0 kv 2 heads 0-1
#pragma once

#include <string>

#include "harness/plan/plan.h"

namespace cpbench {

std::string plan_text(const Plan& plan);
Plan plan_from_text(const std::string& text);  // UserError "line 7: ..."; does not judge the plan

std::string ranges_text(RangeSpan ranges);  // "0-4,8-12"; "-" when empty

}  // namespace cpbench
